#include "stages/nerf/splat/kernels/tile_lists.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace nerfpipe::nerf::splat {
namespace {

constexpr int kDigitBits = 11;
constexpr uint32_t kDigits = 1 << kDigitBits;

// Part `part` of `parts` of 0 .. count - 1.
struct Share {
  size_t begin, end;

  Share(size_t count, int part, int parts)
      : begin(count * part / parts), end(count * (part + 1) / parts) {}
};

// counts[part * digits + digit] become the places at which each part goes on
// writing its elements of a digit; returns their number. Places of one digit
// are in the order of the parts.
uint32_t ToPlaces(uint32_t* counts, int parts, size_t digits) {
  uint32_t place = 0;
  for (size_t digit = 0; digit < digits; ++digit) {
    for (int part = 0; part < parts; ++part) {
      place += std::exchange(counts[part * digits + digit], place);
    }
  }
  return place;
}

}  // namespace

void TileLists::Fill(const Ellipse* ellipses,
                     const TileBox* boxes,
                     const uint16_t* visible,
                     size_t blocks,
                     int tiles_x,
                     int tiles_y,
                     int threads) {
  tiles_x_ = tiles_x;
  first_.resize(static_cast<size_t>(tiles_x) * tiles_y + 1);
  CollectKeys(ellipses, boxes, visible, blocks, threads);
  SortKeys(threads);
  Scatter(boxes, threads);
}

void TileLists::CollectKeys(const Ellipse* ellipses,
                            const TileBox* boxes,
                            const uint16_t* visible,
                            size_t blocks,
                            int threads) {
  // Before each part: visible gaussians, and slots.
  std::vector<uint32_t> before(2 * threads + 2);
  slots_.Reserve(blocks * kBlock);
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int part = 0; part < threads; ++part) {
    const Share share(blocks, part, threads);
    for (size_t b = share.begin; b < share.end; ++b) {
      before[2 * part + 2] += std::popcount(visible[b]);
      for (uint32_t bits = visible[b]; bits != 0; bits &= bits - 1) {
        before[2 * part + 3] +=
            boxes[b * kBlock + std::countr_zero(bits)].count();
      }
    }
  }
  for (int part = 0; part < threads; ++part) {
    before[2 * part + 2] += before[2 * part];
    before[2 * part + 3] += before[2 * part + 1];
  }
  visible_ = before[2 * threads];
  keys_.Reserve(visible_);
  other_keys_.Reserve(visible_);
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int part = 0; part < threads; ++part) {
    const Share share(blocks, part, threads);
    uint32_t at = before[2 * part];
    uint32_t slot = before[2 * part + 1];
    for (size_t b = share.begin; b < share.end; ++b) {
      for (uint32_t bits = visible[b]; bits != 0; bits &= bits - 1) {
        const size_t i = b * kBlock + std::countr_zero(bits);
        keys_[at++] = {std::bit_cast<uint32_t>(ellipses[i].depth),
                       static_cast<uint32_t>(i)};
        slots_[i] = slot;
        slot += boxes[i].count();
      }
    }
  }
}

// By digits, lowest first, each pass keeping the order of the one before.
void TileLists::SortKeys(int threads) {
  const auto by_depth = [](const Key& a, const Key& b) {
    return a.depth < b.depth;
  };
  if (visible_ == 0) return;
  const auto [least, most] =
      std::minmax_element(keys_.data(), keys_.data() + visible_, by_depth);
  const uint32_t base = least->depth;
  const uint32_t range = most->depth - base;
  counts_.resize(static_cast<size_t>(threads) * kDigits);
  for (int shift = 0; shift < 32 && (range >> shift) != 0;
       shift += kDigitBits) {
    const auto digit = [&](const Key& key) {
      return ((key.depth - base) >> shift) & (kDigits - 1);
    };
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int part = 0; part < threads; ++part) {
      uint32_t* counts = counts_.data() + static_cast<size_t>(part) * kDigits;
      std::memset(counts, 0, kDigits * sizeof(uint32_t));
      const Share share(visible_, part, threads);
      for (size_t i = share.begin; i < share.end; ++i)
        ++counts[digit(keys_[i])];
    }
    ToPlaces(counts_.data(), threads, kDigits);
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int part = 0; part < threads; ++part) {
      uint32_t* places = counts_.data() + static_cast<size_t>(part) * kDigits;
      const Share share(visible_, part, threads);
      for (size_t i = share.begin; i < share.end; ++i) {
        other_keys_[places[digit(keys_[i])]++] = keys_[i];
      }
    }
    std::swap(keys_, other_keys_);
  }
}

void TileLists::Scatter(const TileBox* boxes, int threads) {
  const size_t tiles = first_.size() - 1;
  counts_.assign(threads * tiles, 0);
  // f(tile, gaussian, number of the tile in its box)
  const auto for_each_tile = [&](int part, auto&& f) {
    const Share share(visible_, part, threads);
    for (size_t i = share.begin; i < share.end; ++i) {
      const uint32_t gaussian = keys_[i].gaussian;
      const TileBox& box = boxes[gaussian];
      uint32_t number = 0;
      for (size_t y = box.y0; y <= box.y1; ++y) {
        for (size_t x = box.x0; x <= box.x1; ++x) {
          f(y * tiles_x_ + x, gaussian, number++);
        }
      }
    }
  };
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int part = 0; part < threads; ++part) {
    uint32_t* counts = counts_.data() + part * tiles;
    for_each_tile(part,
                  [&](size_t tile, uint32_t, uint32_t) { ++counts[tile]; });
  }
  const uint32_t total = ToPlaces(counts_.data(), threads, tiles);
  // The first part's places are where the tiles begin.
  std::copy_n(counts_.begin(), tiles, first_.begin());
  first_[tiles] = total;
  entries_.Reserve(total);
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int part = 0; part < threads; ++part) {
    uint32_t* places = counts_.data() + part * tiles;
    for_each_tile(part, [&](size_t tile, uint32_t gaussian, uint32_t number) {
      entries_[places[tile]++] = {gaussian, slots_[gaussian] + number};
    });
  }
}

}  // namespace nerfpipe::nerf::splat
