#include "stages/nerf/kernels/occupancy_bits.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <bit>

namespace nerfpipe::nerf::kernels {
namespace {

// One bit per block, a word for each row along x.
using Rows = std::vector<uint64_t>;

// Ors each row with those `stride` before and behind it, on an axis of `side`.
Rows GrownAlong(const Rows& rows, size_t side, size_t stride) {
  Rows grown = rows;
  for (size_t i = 0; i < rows.size(); ++i) {
    const size_t place = i / stride % side;
    if (place > 0) grown[i] |= rows[i - stride];
    if (place + 1 < side) grown[i] |= rows[i + stride];
  }
  return grown;
}

// Each block and its 26 neighbours.
Rows Grown(Rows rows, size_t side) {
  for (uint64_t& row : rows) row |= row << 1 | row >> 1;
  return GrownAlong(GrownAlong(rows, side, 1), side, side);
}

}  // namespace

OccupancyBits::OccupancyBits(int side) : side_(side) {
  NERFPIPE_CHECK(side >= 8 && side <= 256 &&
                 std::has_single_bit(static_cast<unsigned>(side)));
  const size_t blocks = static_cast<size_t>(block_side());
  words_.assign(2 * blocks * blocks * blocks, 0);
  clearance_.resize(blocks * blocks * blocks);
  MeasureClearance();
}

OccupancyBits::OccupancyBits(int side, std::span<const uint32_t> words)
    : OccupancyBits(side) {
  NERFPIPE_CHECK(words.size() == words_.size());
  words_.assign(words.begin(), words.end());
  MeasureClearance();
}

void OccupancyBits::Clear() { std::fill(words_.begin(), words_.end(), 0u); }

void OccupancyBits::MeasureClearance() {
  const size_t side = static_cast<size_t>(block_side());
  const uint64_t whole = ~uint64_t{0} >> (64 - side);
  Rows taken(side * side);
  for (size_t block = 0; block < clearance_.size(); ++block) {
    if ((words_[2 * block] | words_[2 * block + 1]) == 0) continue;
    taken[block / side] |= uint64_t{1} << (block % side);
  }
  // What is taken grows by one block at a time; who is not reached by then is
  // one further away.
  std::fill(clearance_.begin(), clearance_.end(), uint8_t{0});
  for (size_t reach = 0; reach < side; ++reach) {
    bool all = true;
    for (size_t row = 0; row < taken.size(); ++row) {
      for (uint64_t left = ~taken[row] & whole; left != 0; left &= left - 1) {
        ++clearance_[row * side + static_cast<size_t>(std::countr_zero(left))];
        all = false;
      }
    }
    if (all) return;
    taken = Grown(taken, side);
  }
}

}  // namespace nerfpipe::nerf::kernels
