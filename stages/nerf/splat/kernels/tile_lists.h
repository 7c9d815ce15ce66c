#pragma once

// Which ellipses touch which tile of the picture, nearest first.

#include "stages/nerf/kernels/buffer.h"
#include "stages/nerf/splat/kernels/projection.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nerfpipe::nerf::splat {

struct TileEntry {
  uint32_t gaussian;
  // Where its gradient in this tile goes: those of a gaussian follow each other
  // in the order of the tiles, so that their sum has one order, too.
  uint32_t slot;
};

class TileLists {
 public:
  // From the first `blocks` blocks of ProjectGaussians' results. Gaussians of
  // equal depth keep their order, so that the lists are the same for any number
  // of threads.
  void Fill(const Ellipse* ellipses,
            const TileBox* boxes,
            const uint16_t* visible,
            size_t blocks,
            int tiles_x,
            int tiles_y,
            int threads);

  int tiles_x() const { return tiles_x_; }
  int tiles() const { return static_cast<int>(first_.size()) - 1; }
  const TileEntry* entries(int tile) const {
    return entries_.data() + first_[tile];
  }
  size_t count(int tile) const { return first_[tile + 1] - first_[tile]; }
  // Of all tiles.
  size_t total() const { return first_.empty() ? 0 : first_.back(); }
  // Those of a visible gaussian begin here; as many as its box has tiles.
  size_t first_slot(size_t gaussian) const { return slots_[gaussian]; }
  size_t visible() const { return visible_; }

 private:
  struct Key {
    uint32_t depth;  // the bits of a positive float are in its order
    uint32_t gaussian;
  };

  void CollectKeys(const Ellipse* ellipses,
                   const TileBox* boxes,
                   const uint16_t* visible,
                   size_t blocks,
                   int threads);
  void SortKeys(int threads);
  void Scatter(const TileBox* boxes, int threads);

  int tiles_x_ = 0;
  size_t visible_ = 0;
  std::vector<uint32_t> first_;  // by tile, and the end
  kernels::Buffer<TileEntry> entries_;
  kernels::Buffer<uint32_t> slots_;  // by gaussian
  kernels::Buffer<Key> keys_, other_keys_;
  std::vector<uint32_t> counts_;
};

}  // namespace nerfpipe::nerf::splat
