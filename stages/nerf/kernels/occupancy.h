#pragma once

// Which of 128^3 cells of the unit cube hold anything: a density per cell, one
// bit per cell for the march, and per block of 4^3 cells how far it is to the
// next that is not empty.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nerfpipe::nerf::kernels {

inline constexpr int kGridSide = 128;
inline constexpr size_t kGridCells = size_t{kGridSide} * kGridSide * kGridSide;
inline constexpr int kBlockSide = 32;  // blocks of 4^3 cells

class OccupancyGrid {
 public:
  // `thickness` has kGridCells elements, x fastest, and stays the caller's:
  // optical thickness of one step in each cell, or -1 in cells that can never
  // be occupied. All others count as occupied until the first Rebuild().
  explicit OccupancyGrid(std::span<float> thickness);

  // Cells above min(`threshold`, mean of all non-negative cells) become
  // occupied.
  void Rebuild(float threshold, int threads);

  std::span<float> thickness() { return thickness_; }
  std::span<const float> thickness() const { return thickness_; }
  // One bit per cell. Cells lie in blocks of 4^3, x fastest in the block and
  // among the blocks: neighbours share cache lines.
  const uint32_t* words() const { return words_.data(); }
  // Element x + 32 (y + 32 z): n when the block and all others less than n
  // blocks away, along all axes, are empty; 0 when it is not empty itself.
  const uint8_t* clearance() const { return clearance_.data(); }
  // Indices of the occupied cells in thickness(), ascending.
  const std::vector<uint32_t>& occupied() const { return occupied_; }

 private:
  void Fill(float limit, int threads);
  void MeasureClearance();

  std::span<float> thickness_;
  std::vector<uint32_t> words_;
  std::vector<uint8_t> clearance_;
  std::vector<uint32_t> occupied_;
};

// The bit of a cell in OccupancyGrid::words().
inline uint32_t BitOfCell(uint32_t x, uint32_t y, uint32_t z) {
  const uint32_t block = (x >> 2) + 32 * ((y >> 2) + 32 * (z >> 2));
  return block * 64 + (x & 3) + 4 * ((y & 3) + 4 * (z & 3));
}

}  // namespace nerfpipe::nerf::kernels
