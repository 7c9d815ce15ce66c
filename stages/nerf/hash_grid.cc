#include "stages/nerf/hash_grid.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <cmath>

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>

namespace nerfpipe::nerf {
namespace {

// Primes of the XOR hash, one per axis.
constexpr uint32_t kPrimeY = 2654435761u;
constexpr uint32_t kPrimeZ = 805459861u;

// Row of a corner in a hashed level of a power of two rows.
uint32_t HashedRow(uint32_t x, uint32_t y, uint32_t z, uint32_t rows) {
  const uint32_t brick = (x >> 1) ^ ((y >> 1) * kPrimeY) ^ ((z >> 1) * kPrimeZ);
  const uint32_t inside = (x & 1) | (y & 1) << 1 | (z & 1) << 2;
  return (brick << 3 | inside) & (rows - 1);
}

// What the inner loops need of a level, in the scalar type of the table.
template <typename T>
struct Level {
  explicit Level(const HashLevel& level)
      : scale(static_cast<T>(level.scale)),
        resolution(static_cast<uint32_t>(level.resolution)),
        rows(static_cast<uint32_t>(level.rows)),
        first_row(level.first_row),
        dense(level.dense) {}

  T scale;
  uint32_t resolution;
  uint32_t rows;
  int64_t first_row;
  bool dense;
};

// The 8 rows and trilinear weights around a position.
template <typename T>
struct Corners {
  Corners() = default;
  Corners(const Level<T>& level, const T* x) {
    T fraction[3];
    uint32_t cell[3];
    for (int axis = 0; axis < 3; ++axis) {
      // Never negative, so that cutting off the fraction is rounding down.
      const T position = x[axis] * level.scale + T(0.5);
      const int32_t floor = static_cast<int32_t>(position);
      fraction[axis] = position - static_cast<T>(floor);
      cell[axis] = static_cast<uint32_t>(floor);
    }
    const uint32_t r = level.resolution;
    for (uint32_t corner = 0; corner < 8; ++corner) {
      const uint32_t cx = cell[0] + (corner & 1);
      const uint32_t cy = cell[1] + ((corner >> 1) & 1);
      const uint32_t cz = cell[2] + (corner >> 2);
      uint32_t index;
      if (level.dense) {
        index = cx + r * (cy + r * cz);
        index = index < level.rows ? index : index % level.rows;
      } else {
        index = HashedRow(cx, cy, cz, level.rows);
      }
      row[corner] = level.first_row + index;
      weight[corner] = ((corner & 1) ? fraction[0] : 1 - fraction[0]) *
                       ((corner & 2) ? fraction[1] : 1 - fraction[1]) *
                       ((corner & 4) ? fraction[2] : 1 - fraction[2]);
    }
  }

  int64_t row[8];
  T weight[8];
};

template <typename T>
std::vector<Level<T>> InType(const std::vector<HashLevel>& levels) {
  return std::vector<Level<T>>(levels.begin(), levels.end());
}

// Samples whose rows are asked for before the first of them is used: memory
// answers many requests in the time of one.
constexpr int64_t kAhead = 32;

// Calls body(i, corners) for the samples begin .. end - 1 of one level. `rows`
// is where the level's rows will be read, or written with kWrite.
template <int F, bool kWrite, typename T, typename Body>
void ForSamples(const Level<T>& level,
                const T* positions,
                int64_t begin,
                int64_t end,
                const T* rows,
                Body body) {
  Corners<T> corners[kAhead];
  for (int64_t block = begin; block < end; block += kAhead) {
    const int64_t count = std::min(kAhead, end - block);
    for (int64_t i = 0; i < count; ++i) {
      corners[i] = Corners<T>(level, positions + 3 * (block + i));
      for (const int64_t row : corners[i].row) {
        __builtin_prefetch(rows + row * F, kWrite ? 1 : 0);
      }
    }
    for (int64_t i = 0; i < count; ++i) {
      body(block + i, corners[i]);
    }
  }
}

template <typename T, int F>
void Gather(const T* table,
            const T* positions,
            int64_t count,
            const std::vector<HashLevel>& hash_levels,
            T* out) {
  const std::vector<Level<T>> levels = InType<T>(hash_levels);
  const int64_t width = static_cast<int64_t>(levels.size()) * F;
  at::parallel_for(0, count, 256, [&](int64_t begin, int64_t end) {
    // Blocks of samples, level by level: a level's rows stay in the cache.
    for (int64_t block = begin; block < end; block += 256) {
      const int64_t block_end = std::min(end, block + 256);
      for (size_t l = 0; l < levels.size(); ++l) {
        const auto gather = [&](int64_t i, const Corners<T>& corners) {
          T sum[F] = {};
          for (int corner = 0; corner < 8; ++corner) {
            const T* entry = table + corners.row[corner] * F;
            for (int f = 0; f < F; ++f) {
              sum[f] += corners.weight[corner] * entry[f];
            }
          }
          std::copy(sum, sum + F, out + i * width + l * F);
        };
        ForSamples<F, false>(
            levels[l], positions, block, block_end, table, gather);
      }
    }
  });
}

template <typename T, int F>
void Scatter(const T* gradient,
             const T* positions,
             int64_t count,
             const std::vector<HashLevel>& hash_levels,
             T* table_gradient,
             uint8_t* touched) {
  const std::vector<Level<T>> levels = InType<T>(hash_levels);
  const int64_t n = static_cast<int64_t>(levels.size());
  const int64_t width = n * F;
  // A level belongs to one thread: no collisions, and always the same order of
  // additions. Every second level first, so that each of two threads gets
  // small and large ones.
  at::parallel_for(0, n, 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      const int64_t l = 2 * k < n ? 2 * k : 2 * (k - (n + 1) / 2) + 1;
      const auto scatter = [&](int64_t i, const Corners<T>& corners) {
        const T* g = gradient + i * width + l * F;
        for (int corner = 0; corner < 8; ++corner) {
          T* entry = table_gradient + corners.row[corner] * F;
          for (int f = 0; f < F; ++f) {
            entry[f] += corners.weight[corner] * g[f];
          }
          touched[corners.row[corner]] = 1;
        }
      };
      ForSamples<F, true>(
          levels[l], positions, 0, count, table_gradient, scatter);
    }
  });
}

// Calls body with the number of features as a compile-time constant.
template <typename Body>
void WithFeatures(int64_t features, Body body) {
  switch (features) {
    case 1:
      return body(std::integral_constant<int, 1>());
    case 2:
      return body(std::integral_constant<int, 2>());
    case 4:
      return body(std::integral_constant<int, 4>());
    case 8:
      return body(std::integral_constant<int, 8>());
    default:
      FailCheck("features is 1, 2, 4 or 8", __FILE__, __LINE__);
  }
}

}  // namespace

std::vector<HashLevel> HashLevels(int levels,
                                  int base,
                                  int finest,
                                  int log2_table) {
  NERFPIPE_CHECK(levels >= 1 && base >= 1 && finest >= base);
  const double log2_growth =
      levels > 1 ? std::log2(static_cast<double>(finest) / base) / (levels - 1)
                 : 0;
  std::vector<HashLevel> result;
  int64_t row = 0;
  for (int l = 0; l < levels; ++l) {
    HashLevel level;
    // Rounded so that a whole-number scale is one: otherwise the resolution
    // below would be one cell too large.
    level.scale = std::exp2(l * log2_growth) * base - 1;
    if (std::abs(level.scale - std::round(level.scale)) < 1e-9) {
      level.scale = std::round(level.scale);
    }
    level.resolution = static_cast<int64_t>(std::ceil(level.scale)) + 1;
    const double cells = std::pow(static_cast<double>(level.resolution), 3);
    level.dense = cells <= std::exp2(log2_table);
    level.rows = level.dense ? (static_cast<int64_t>(cells) + 7) / 8 * 8
                             : int64_t{1} << log2_table;
    level.first_row = row;
    row += level.rows;
    result.push_back(level);
  }
  return result;
}

int64_t HashRows(const std::vector<HashLevel>& levels) {
  return levels.back().first_row + levels.back().rows;
}

int64_t HashRow(const HashLevel& level, int64_t x, int64_t y, int64_t z) {
  const int64_t r = level.resolution;
  return level.dense ? (x + r * (y + r * z)) % level.rows
                     : HashedRow(static_cast<uint32_t>(x),
                                 static_cast<uint32_t>(y),
                                 static_cast<uint32_t>(z),
                                 static_cast<uint32_t>(level.rows));
}

torch::Tensor HashEncodePlain(const torch::Tensor& table,
                              const torch::Tensor& positions,
                              const std::vector<HashLevel>& levels) {
  std::vector<torch::Tensor> parts;
  for (const HashLevel& level : levels) {
    const torch::Tensor x = positions * level.scale + 0.5;
    const torch::Tensor floor = x.floor();
    const torch::Tensor fraction = x - floor;
    const torch::Tensor cell = floor.to(torch::kInt64);
    torch::Tensor sum;
    for (int corner = 0; corner < 8; ++corner) {
      torch::Tensor weight;
      torch::Tensor at[3];
      for (int axis = 0; axis < 3; ++axis) {
        const bool high = (corner >> axis) & 1;
        const torch::Tensor f = fraction.select(1, axis);
        const torch::Tensor factor = high ? f : 1 - f;
        weight = axis == 0 ? factor : weight * factor;
        at[axis] = cell.select(1, axis) + (high ? 1 : 0);
      }
      torch::Tensor index;
      if (level.dense) {
        index = at[0] + level.resolution * (at[1] + level.resolution * at[2]);
      } else {
        // 32-bit products, in 64-bit integers.
        const int64_t mask = 0xffffffff;
        const auto brick = [&](int axis, int64_t prime) {
          return (at[axis].div(2, "floor") * prime).bitwise_and(mask);
        };
        index = brick(0, 1)
                    .bitwise_xor(brick(1, kPrimeY))
                    .bitwise_xor(brick(2, kPrimeZ));
        for (int axis = 2; axis >= 0; --axis) {
          index = 2 * index + at[axis].remainder(2);
        }
      }
      index = index.remainder(level.rows) + level.first_row;
      const torch::Tensor part =
          table.index_select(0, index) * weight.unsqueeze(1);
      sum = corner == 0 ? part : sum + part;
    }
    parts.push_back(sum);
  }
  return torch::cat(parts, 1);
}

torch::Tensor HashGather(const torch::Tensor& table,
                         const torch::Tensor& positions,
                         const std::vector<HashLevel>& levels) {
  NERFPIPE_CHECK(table.is_contiguous() && positions.is_contiguous());
  NERFPIPE_CHECK(table.dtype() == positions.dtype());
  const int64_t count = positions.size(0);
  torch::Tensor out =
      torch::empty({count, static_cast<int64_t>(levels.size()) * table.size(1)},
                   table.options().requires_grad(false));
  WithFeatures(table.size(1), [&](auto features) {
    AT_DISPATCH_FLOATING_TYPES(table.scalar_type(), "HashGather", [&] {
      Gather<scalar_t, decltype(features)::value>(
          table.data_ptr<scalar_t>(),
          positions.data_ptr<scalar_t>(),
          count,
          levels,
          out.data_ptr<scalar_t>());
    });
  });
  return out;
}

void HashScatter(const torch::Tensor& gradient,
                 const torch::Tensor& positions,
                 const std::vector<HashLevel>& levels,
                 torch::Tensor table_gradient,
                 torch::Tensor touched) {
  NERFPIPE_CHECK(gradient.is_contiguous() && positions.is_contiguous());
  NERFPIPE_CHECK(table_gradient.is_contiguous() && touched.is_contiguous());
  WithFeatures(table_gradient.size(1), [&](auto features) {
    AT_DISPATCH_FLOATING_TYPES(gradient.scalar_type(), "HashScatter", [&] {
      Scatter<scalar_t, decltype(features)::value>(
          gradient.data_ptr<scalar_t>(),
          positions.data_ptr<scalar_t>(),
          positions.size(0),
          levels,
          table_gradient.data_ptr<scalar_t>(),
          touched.data_ptr<uint8_t>());
    });
  });
}

}  // namespace nerfpipe::nerf
