#pragma once

// The loop shared by all kernels. The including file defines `Lanes` in an
// anonymous namespace first, and is compiled for its instruction set; nothing
// here may call an inline function that other files also have, for the linker
// would keep only one of them.

#include "stages/colmap/matching/match_kernel.h"

namespace nerfpipe::sfm {
namespace {

constexpr int kPairs = 64;             // of elements in a descriptor
constexpr int kColumnsPerPanel = 512;  // 128 KiB: stays in the second cache

struct LaneBest {
  Lanes best = Lanes::Fill(0);
  Lanes second = Lanes::Fill(0);
  Lanes index = Lanes::Fill(-1);

  void Offer(Lanes score, Lanes score_index) {
    second = Max(second, Min(best, score));
    const Lanes better = Greater(score, best);
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

// The dot products of kRowsPerTile rows with 2 * Lanes::kCount columns.
void MultiplyTile(const int16_t* rows,
                  const int16_t* columns,
                  Lanes (&score)[kRowsPerTile][2]) {
  constexpr int kGroup = Lanes::kCount * 2 * kPairs;
  for (int r = 0; r < kRowsPerTile; ++r) {
    score[r][0] = Lanes::Fill(0);
    score[r][1] = Lanes::Fill(0);
  }
  for (int k = 0; k < kPairs; ++k) {
    const LanePairs left = LanePairs::Load(columns + 2 * Lanes::kCount * k);
    const LanePairs right =
        LanePairs::Load(columns + kGroup + 2 * Lanes::kCount * k);
    for (int r = 0; r < kRowsPerTile; ++r) {
      const LanePairs row = LanePairs::FillPair(rows + r * 2 * kPairs + 2 * k);
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
  for (int panel = 0; panel < sets.column_count; panel += kColumnsPerPanel) {
    const int panel_end = panel + kColumnsPerPanel < sets.column_count
                              ? panel + kColumnsPerPanel
                              : sets.column_count;
    for (int row = 0; row < sets.row_count; row += kRowsPerTile) {
      LaneBest tile_rows[kRowsPerTile];
      for (int column = panel; column < panel_end; column += 2 * kLanes) {
        Lanes score[kRowsPerTile][2];
        MultiplyTile(sets.rows + row * 2 * kPairs,
                     sets.columns + column * 2 * kPairs,
                     score);
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
