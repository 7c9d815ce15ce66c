#pragma once

// The inner loop of descriptor matching: all dot products between two sets of
// descriptors, and for each the best and second best. Exact integers, so every
// kernel gives the same numbers.

#include <cstdint>

namespace nerfpipe::sfm {

// Best partners of each descriptor of one set. A score of 0 is no partner:
// `best` and `second` start at 0, `index` at -1.
struct BestScores {
  int32_t* best = nullptr;
  int32_t* second = nullptr;
  int32_t* index = nullptr;  // of the best; the lowest of equal ones
};

// Rows: 128 int16 each, row after row. Columns: groups of `lanes` descriptors,
// within a group the elements 2k and 2k + 1 of each descriptor side by side,
// then the next k. Counts are padded with zero descriptors: rows to a multiple
// of kRowsPerTile, columns of 2 * lanes.
struct PackedSets {
  const int16_t* rows = nullptr;
  int row_count = 0;
  const int16_t* columns = nullptr;
  int column_count = 0;
};

inline constexpr int kRowsPerTile = 4;

struct MatchKernel {
  const char* name;
  int lanes;
  // The results have the padded sizes.
  void (*run)(const PackedSets& sets,
              const BestScores& row_best,
              const BestScores& column_best);
};

// One per file; the second exists on x86-64 only.
MatchKernel BaseMatchKernel();
MatchKernel Avx2MatchKernel();

}  // namespace nerfpipe::sfm
