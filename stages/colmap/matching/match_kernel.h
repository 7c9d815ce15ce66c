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

// How a kernel wants its elements: as int16, two to a lane, or as bytes, four
// to a lane, those of the columns less 128.
enum class ElementKind { kInt16, kByte };

// Rows: 128 elements each, row after row. Columns: groups of `lanes`
// descriptors; within a group the first elements that fill a lane (two or four)
// of one descriptor after the other, then the next elements of each. Counts are
// padded with descriptors of zeros: rows to a multiple of kRowsPerTile, columns
// of 2 * lanes.
struct PackedSets {
  const void* rows = nullptr;
  int row_count = 0;
  const void* columns = nullptr;
  int column_count = 0;
};

inline constexpr int kRowsPerTile = 4;

struct MatchKernel {
  const char* name;
  int lanes;
  ElementKind elements;
  // The results have the padded sizes.
  void (*run)(const PackedSets& sets,
              const BestScores& row_best,
              const BestScores& column_best);
};

// One per file; all but the first exist on x86-64 only.
MatchKernel BaseMatchKernel();
MatchKernel Avx2MatchKernel();
MatchKernel AvxVnniMatchKernel();
MatchKernel Avx512VnniMatchKernel();

}  // namespace nerfpipe::sfm
