#pragma once

// What stereo works on: grey pictures whose cameras are known, and depths that
// somebody knows already. Plain numbers, no library.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nerfpipe::stereo {

// A point that was found in the picture.
struct SparseDepth {
  float x = 0;  // in pixels; the first one reaches from 0 to 1
  float y = 0;
  float depth = 0;  // along the optical axis
  int point = 0;    // the same point has the same number in all views
};

struct View {
  int width = 0;
  int height = 0;
  // Row by row, of each pixel its grey and those of the next one, the one below
  // and the one between these, from the lowest byte on: one look in memory for
  // a bilinear sample.
  std::vector<uint32_t> corners;
  // Pinhole that looks along +z, x to the right and y down; from the world.
  std::array<float, 9> rotation = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  std::array<float, 3> translation = {0, 0, 0};
  float fx = 0;
  float fy = 0;
  float cx = 0;
  float cy = 0;
  std::vector<SparseDepth> sparse;
  // Between them is all that is worth a look.
  float least_inverse_depth = 0;
  float most_inverse_depth = 0;

  // Fills `corners`; `grey` has width x height numbers from 0 to 1.
  void SetPicture(const float* grey);
  std::array<float, 3> Centre() const;
  // Of the world, at a depth.
  std::array<float, 3> PointAt(float x, float y, float depth) const;
};

// Depths on a grid of cells of `step` x `step` pixels, taken at their middles.
struct DepthMap {
  int step = 4;
  int width = 0;  // in cells
  int height = 0;
  std::vector<float> inverse_depth;  // 0: unknown
  std::vector<float> score;          // correlation with the neighbours, -1 to 1
  // Neighbours whose own depth agrees, see CheckDepths().
  std::vector<unsigned char> agreeing;

  size_t size() const { return inverse_depth.size(); }
  float x(size_t cell) const {
    return (static_cast<float>(cell % width) + 0.5f) * static_cast<float>(step);
  }
  float y(size_t cell) const {
    return (static_cast<float>(cell / width) + 0.5f) * static_cast<float>(step);
  }
};

}  // namespace nerfpipe::stereo
