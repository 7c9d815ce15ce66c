#pragma once

// Which of 128^3 cells of the unit cube hold anything: a density per cell, and
// the bits of those above a limit.

#include "stages/nerf/kernels/occupancy_bits.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace nerfpipe::nerf::kernels {

inline constexpr int kGridSide = 128;
inline constexpr size_t kGridCells = size_t{kGridSide} * kGridSide * kGridSide;

class OccupancyGrid {
 public:
  // `thickness` has kGridCells elements, x fastest, and stays the caller's:
  // optical thickness of one step in each cell, or -1 in cells that can never
  // be occupied. All others count as occupied until the first Rebuild().
  explicit OccupancyGrid(std::span<float> thickness);

  // Cells above min(`threshold`, mean of all non-negative cells) become
  // occupied.
  void Rebuild(float threshold, int threads);

  // `cells` has kGridCells elements, x fastest: those that lines of sight show
  // to be free.
  void SetFree(std::span<const bool> cells);
  // Null before SetFree().
  const OccupancyBits* free() const { return free_ ? &*free_ : nullptr; }

  std::span<float> thickness() { return thickness_; }
  std::span<const float> thickness() const { return thickness_; }
  const OccupancyBits& bits() const { return bits_; }
  // Above which a cell is occupied; below zero before the first Rebuild().
  float limit() const { return limit_; }
  // Indices of the occupied cells in thickness(), ascending.
  const std::vector<uint32_t>& occupied() const { return occupied_; }

 private:
  void Fill(int threads);

  std::span<float> thickness_;
  float limit_ = -0.5f;
  OccupancyBits bits_{kGridSide};
  std::vector<uint32_t> occupied_;
  std::optional<OccupancyBits> free_;
};

}  // namespace nerfpipe::nerf::kernels
