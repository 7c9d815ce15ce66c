#pragma once

// One bit per cell of the unit cube for the march, and per block of 4^3 cells
// how far it is to the next that is not empty.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nerfpipe::nerf::kernels {

// Cells along a side of a block.
inline constexpr int kBlockSide = 4;

class OccupancyBits {
 public:
  // All empty. `side`, cells along an axis: a power of two from 8 to 256.
  explicit OccupancyBits(int side);
  // From what words() were.
  OccupancyBits(int side, std::span<const uint32_t> words);

  int side() const { return side_; }
  int block_side() const { return side_ / kBlockSide; }

  // Cells lie in blocks of 4^3, x fastest in the block and among the blocks:
  // neighbours share cache lines.
  std::span<const uint32_t> words() const { return words_; }
  // Element x + block_side (y + block_side z): n when the block and all others
  // less than n blocks away, along all axes, are empty; 0 when it is not empty
  // itself. As MeasureClearance() found it.
  const uint8_t* clearance() const { return clearance_.data(); }

  // Cells with z in one block of four share no words with others.
  void Set(uint32_t x, uint32_t y, uint32_t z) {
    const uint32_t bit = BitOf(x, y, z);
    words_[bit >> 5] |= 1u << (bit & 31);
  }
  bool Has(uint32_t x, uint32_t y, uint32_t z) const {
    const uint32_t bit = BitOf(x, y, z);
    return (words_[bit >> 5] >> (bit & 31) & 1) != 0;
  }
  // Of the cell that holds a point of the unit cube.
  bool HasAt(float x, float y, float z) const {
    const auto cell = [&](float at) {
      return static_cast<uint32_t>(std::clamp(
          static_cast<int>(at * static_cast<float>(side_)), 0, side_ - 1));
    };
    return Has(cell(x), cell(y), cell(z));
  }
  void Clear();
  // To be called after the last Set().
  void MeasureClearance();

 private:
  uint32_t BitOf(uint32_t x, uint32_t y, uint32_t z) const {
    const uint32_t blocks = static_cast<uint32_t>(block_side());
    const uint32_t block = (x >> 2) + blocks * ((y >> 2) + blocks * (z >> 2));
    return block * 64 + (x & 3) + 4 * ((y & 3) + 4 * (z & 3));
  }

  int side_;
  std::vector<uint32_t> words_;
  std::vector<uint8_t> clearance_;
};

}  // namespace nerfpipe::nerf::kernels
