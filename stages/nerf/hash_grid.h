#pragma once

// The multi-resolution hash grid (Mueller et al. 2022; scales and dense levels
// after tiny-cuda-nn's grid.h). It is not single corners that are hashed but
// bricks of 2^3, whose rows follow each other: the eight corners of a point lie
// in 3.4 bricks on average, and a brick in half precision is one cache line.

#include "stages/nerf/tensors.h"

#include <cstdint>
#include <vector>

namespace nerfpipe::nerf {

// One resolution. A position x in [0, 1]^3 lies at x * scale + 0.5 in units of
// its cells; its rows of the table are first_row .. first_row + rows - 1.
struct HashLevel {
  double scale = 0;
  int64_t resolution = 0;
  int64_t first_row = 0;
  int64_t rows = 0;
  // row = x + y r + z r^2 (mod rows); else 8 h + (x & 1) + 2 (y & 1) +
  // 4 (z & 1), h being the XOR hash of x / 2, y / 2, z / 2 (mod rows / 8).
  bool dense = false;
};

// Level l has scale base * b^l - 1 with b such that the last one has scale
// finest - 1, and resolution^3 rows, rounded up to a multiple of eight, or, if
// those are more than 2^log2_table, that many hashed ones.
std::vector<HashLevel> HashLevels(int levels,
                                  int base,
                                  int finest,
                                  int log2_table);

int64_t HashRows(const std::vector<HashLevel>& levels);

// table: R x F; positions: N x 3 in [0, 1]. Result N x (levels * F), level by
// level, trilinear between the 8 corners. Any device and dtype, autograd; some
// 6 KB of memory for a position and eight levels.
torch::Tensor HashEncode(const torch::Tensor& table,
                         const torch::Tensor& positions,
                         const std::vector<HashLevel>& levels);

}  // namespace nerfpipe::nerf
