#pragma once

// The loop shared by all kernels. The including file defines `Element`, `Lanes`
// and `LaneElements` in an anonymous namespace first, and is compiled for its
// instruction set; nothing here may call an inline function that other
// files also have, for the linker would keep only one of them.

#include "stages/colmap/matching/match_kernel.h"

namespace nerfpipe::sfm {
namespace {

constexpr int kElements = 128;  // of a descriptor
constexpr int kPerLane = 4 / sizeof(Element);
constexpr int kColumnsPerPanel = 512;  // 128 KiB at most: in the second cache

struct LaneBest {
  Lanes best = Lanes::Fill(0);
  Lanes second = Lanes::Fill(0);
  Lanes index = Lanes::Fill(-1);

  void Offer(Lanes score, Lanes score_index) {
    second = Max(second, Min(best, score));
    const auto better = Greater(score, best);
    index = Select(better, score_index, index);
    best = Max(best, score);
  }
};

// Folds the lanes of one row and one panel into the row's result so far.
// Indices of this panel are all higher than earlier ones.
void FoldRow(const LaneBest& lanes, int row, const BestScores& rows) {
  int32_t best[Lanes::kCount];
  int32_t second[Lanes::kCount];
  int32_t index[Lanes::kCount];
  lanes.best.Store(best);
  lanes.second.Store(second);
  lanes.index.Store(index);
  int32_t& row_best = rows.best[row];
  int32_t& row_second = rows.second[row];
  int32_t& row_index = rows.index[row];
  for (int i = 0; i < Lanes::kCount; ++i) {
    const bool wins =
        best[i] > row_best ||
        (best[i] == row_best && best[i] > 0 && index[i] < row_index);
    const int32_t loser = wins ? row_best : best[i];
    if (wins) {
      row_best = best[i];
      row_index = index[i];
    }
    row_second = row_second > loser ? row_second : loser;
    row_second = row_second > second[i] ? row_second : second[i];
  }
}

// Bytes of columns are stored less 128: this gives back 128 times the sum of
// the row.
Lanes StartOf(const Element* row) {
  int32_t sum = 0;
  if constexpr (sizeof(Element) == 1) {
    for (int k = 0; k < kElements; ++k) sum += row[k];
  }
  return Lanes::Fill(128 * sum);
}

// The dot products of kRowsPerTile rows with 2 * Lanes::kCount columns.
void MultiplyTile(const Element* rows,
                  const Element* columns,
                  const Lanes (&start)[kRowsPerTile],
                  Lanes (&score)[kRowsPerTile][2]) {
  constexpr int kGroup = Lanes::kCount * kElements;
  for (int r = 0; r < kRowsPerTile; ++r) score[r][0] = score[r][1] = start[r];
  for (int k = 0; k < kElements; k += kPerLane) {
    const LaneElements left = LaneElements::Load(columns + Lanes::kCount * k);
    const LaneElements right =
        LaneElements::Load(columns + kGroup + Lanes::kCount * k);
    for (int r = 0; r < kRowsPerTile; ++r) {
      const LaneElements row = LaneElements::Fill(rows + r * kElements + k);
      score[r][0] = AddProducts(score[r][0], row, left);
      score[r][1] = AddProducts(score[r][1], row, right);
    }
  }
}

void FindBest(const PackedSets& sets,
              const BestScores& row_best,
              const BestScores& column_best) {
  constexpr int kLanes = Lanes::kCount;
  const auto [best, second, index] = column_best;
  const auto* rows = static_cast<const Element*>(sets.rows);
  const auto* columns = static_cast<const Element*>(sets.columns);
  for (int panel = 0; panel < sets.column_count; panel += kColumnsPerPanel) {
    const int panel_end = panel + kColumnsPerPanel < sets.column_count
                              ? panel + kColumnsPerPanel
                              : sets.column_count;
    for (int row = 0; row < sets.row_count; row += kRowsPerTile) {
      LaneBest tile_rows[kRowsPerTile];
      Lanes start[kRowsPerTile];
      for (int r = 0; r < kRowsPerTile; ++r) {
        start[r] = StartOf(rows + (row + r) * kElements);
      }
      for (int column = panel; column < panel_end; column += 2 * kLanes) {
        Lanes score[kRowsPerTile][2];
        MultiplyTile(
            rows + row * kElements, columns + column * kElements, start, score);
        for (int half = 0; half < 2; ++half) {
          const int first = column + half * kLanes;
          const Lanes column_index = Lanes::Count(first);
          LaneBest tile_columns{Lanes::Load(best + first),
                                Lanes::Load(second + first),
                                Lanes::Load(index + first)};
          for (int r = 0; r < kRowsPerTile; ++r) {
            tile_rows[r].Offer(score[r][half], column_index);
            tile_columns.Offer(score[r][half], Lanes::Fill(row + r));
          }
          tile_columns.best.Store(best + first);
          tile_columns.second.Store(second + first);
          tile_columns.index.Store(index + first);
        }
      }
      for (int r = 0; r < kRowsPerTile; ++r) {
        FoldRow(tile_rows[r], row + r, row_best);
      }
    }
  }
}

}  // namespace
}  // namespace nerfpipe::sfm
