#include "stages/nerf/hash_grid.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace nerfpipe::nerf {
namespace {

// Factors of the XOR hash, one per axis.
constexpr std::array<int64_t, 3> kPrimes = {1, 2654435761, 805459861};

// Column of a number of each level, L x 1.
template <class T>
torch::Tensor Column(const std::vector<HashLevel>& levels,
                     T HashLevel::*number,
                     const torch::Tensor& like,
                     torch::Dtype dtype) {
  std::vector<T> numbers;
  for (const HashLevel& level : levels) numbers.push_back(level.*number);
  return torch::tensor(torch::ArrayRef<T>(numbers), dtype)
      .to(like.device())
      .unsqueeze(1);
}

// Of something for the lower and upper corner along each axis (N x L x 2), for
// all eight corners, N x L x 2 x 2 x 2 with x last.
struct OfCorners {
  torch::Tensor x, y, z;

  explicit OfCorners(const std::array<torch::Tensor, 3>& axes)
      : x(axes[0].unsqueeze(2).unsqueeze(3)),
        y(axes[1].unsqueeze(2).unsqueeze(4)),
        z(axes[2].unsqueeze(3).unsqueeze(4)) {}
};

// Rows of the corners within their levels, N x L x 8; cells: N x L x 2 of the
// corners along each axis.
torch::Tensor DenseRows(const std::array<torch::Tensor, 3>& cells,
                        const std::vector<HashLevel>& levels) {
  const torch::Tensor side =
      Column(levels, &HashLevel::resolution, cells[0], torch::kInt64);
  const torch::Tensor rows =
      Column(levels, &HashLevel::rows, cells[0], torch::kInt64);
  const OfCorners at({cells[0], cells[1] * side, cells[2] * (side * side)});
  const torch::Tensor row = (at.x + at.y + at.z).flatten(2);
  // Corners beyond the last cell: never twice the number of rows.
  return torch::where(row < rows, row, row - rows);
}

torch::Tensor HashedRows(const std::array<torch::Tensor, 3>& cells,
                         const std::vector<HashLevel>& levels) {
  // The hash of the brick above the place in it: what an axis has to say of
  // both is in bits that XOR keeps apart.
  std::array<torch::Tensor, 3> parts;
  for (size_t axis = 0; axis < 3; ++axis) {
    parts[axis] = (cells[axis].bitwise_right_shift(1) * (8 * kPrimes[axis]))
                      .bitwise_or(cells[axis].bitwise_and(1) * (1 << axis));
  }
  const OfCorners at(parts);
  const torch::Tensor mask =
      Column(levels, &HashLevel::rows, cells[0], torch::kInt64) - 1;
  return at.x.bitwise_xor(at.y).bitwise_xor(at.z).flatten(2).bitwise_and(mask);
}

}  // namespace

std::vector<HashLevel> HashLevels(int levels,
                                  int base,
                                  int finest,
                                  int log2_table) {
  NERFPIPE_CHECK(levels >= 1 && base >= 2 && finest >= base);
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

torch::Tensor HashEncode(const torch::Tensor& table,
                         const torch::Tensor& positions,
                         const std::vector<HashLevel>& levels) {
  const int64_t count = positions.size(0);
  const int64_t features = table.size(1);
  const int64_t width = static_cast<int64_t>(levels.size());
  // N x L x 3.
  const torch::Tensor x =
      positions.unsqueeze(1) *
          Column(levels, &HashLevel::scale, positions, torch::kFloat64)
              .to(positions.dtype()) +
      0.5;
  const torch::Tensor floor = x.floor();
  const torch::Tensor fraction = x - floor;
  const torch::Tensor cell = floor.to(torch::kInt64);
  std::array<torch::Tensor, 3> cells, factors;
  for (int axis = 0; axis < 3; ++axis) {
    const torch::Tensor c = cell.select(2, axis);
    const torch::Tensor f = fraction.select(2, axis);
    cells[axis] = torch::stack({c, c + 1}, 2);
    factors[axis] = torch::stack({1 - f, f}, 2);
  }
  const OfCorners factor(factors);
  const torch::Tensor weights =
      (factor.x * factor.y * factor.z).view({count, width, 8, 1});

  // Coarse levels are the dense ones.
  const auto first_hashed =
      std::find_if(levels.begin(), levels.end(), [](const HashLevel& level) {
        return !level.dense;
      });
  const int64_t dense = first_hashed - levels.begin();
  const auto part = [&](int64_t begin, int64_t end) {
    std::array<torch::Tensor, 3> of_part;
    for (int axis = 0; axis < 3; ++axis) {
      of_part[axis] = cells[axis].slice(1, begin, end);
    }
    return of_part;
  };
  std::vector<torch::Tensor> rows;
  if (dense > 0) {
    rows.push_back(DenseRows(part(0, dense), {levels.begin(), first_hashed}));
  }
  if (dense < width) {
    rows.push_back(
        HashedRows(part(dense, width), {first_hashed, levels.end()}));
  }
  const torch::Tensor row =
      torch::cat(rows, 1) +
      Column(levels, &HashLevel::first_row, cell, torch::kInt64);
  // An embedding's gradient adds rows up in one order, on a GPU too.
  const torch::Tensor entries =
      torch::embedding(table, row.flatten()).view({count, width, 8, features});
  return (entries * weights).sum(2).view({count, width * features});
}

}  // namespace nerfpipe::nerf
