// The hash grid: index rules and interpolation against numpy.

#include "stages/nerf/hash_grid.h"

#include "tests/reference/nerf_reference.h"

#include <gtest/gtest.h>

namespace nerfpipe::nerf {
namespace {

TEST(HashGridTest, LevelsOfTheUsualConfiguration) {
  const auto levels = HashLevels(8, 16, 2048, 19);
  ASSERT_EQ(levels.size(), 8u);
  for (int l = 0; l < 8; ++l) {
    EXPECT_DOUBLE_EQ(levels[l].scale, (16 << l) - 1);
    EXPECT_EQ(levels[l].resolution, 16 << l);
    EXPECT_EQ(levels[l].dense, l <= 2);  // 64^3 is 2^18, 128^3 is 2^21
  }
  EXPECT_EQ(HashRows(levels), 4096 + 32768 + 262144 + 5 * (1 << 19));
}

TEST(HashGridTest, SixteenLevelsGrowByTheRoot) {
  const auto levels = HashLevels(16, 16, 2048, 19);
  EXPECT_NEAR((levels[1].scale + 1) / 16, 1.3819, 5e-5);
}

TEST(HashGridTest, EncodingEqualsTheReference) {
  const auto levels = HashLevels(4, 4, 32, 10);
  ASSERT_EQ(HashRows(levels), static_cast<int64_t>(reference::kHashRows[0]));
  const torch::Tensor table =
      torch::sin(0.1 * torch::arange(HashRows(levels) * 2, torch::kFloat64))
          .view({-1, 2});
  const torch::Tensor positions =
      torch::tensor(torch::ArrayRef<double>(reference::kHashPositions),
                    torch::kFloat64)
          .view({5, 3});
  const torch::Tensor expected =
      torch::tensor(torch::ArrayRef<double>(reference::kHashEncoded),
                    torch::kFloat64)
          .view({5, 8});
  EXPECT_LT((HashEncode(table, positions, levels) - expected)
                .abs()
                .max()
                .item<double>(),
            1e-9);
}

// What is linear in the table is the sum of its parts: the gradient of an
// output is what one entry more does to it, and there is none beside the eight
// corners.
TEST(HashGridTest, GradientIsTheChangeByEachEntry) {
  const auto levels = HashLevels(4, 4, 32, 10);
  const torch::Tensor table =
      torch::zeros({HashRows(levels), 2}, torch::kFloat64).requires_grad_(true);
  const torch::Tensor positions =
      torch::tensor({{0.31, 0.77, 1.0}, {0.92, 0.0, 0.58}}, torch::kFloat64);
  const torch::Tensor factors =
      torch::tensor({{1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0},
                     {0.5, 0.25, 0.5, 0.25, 0.5, 0.25, 0.5, 0.25}},
                    torch::kFloat64);
  (HashEncode(table, positions, levels) * factors).sum().backward();
  const torch::Tensor rows = torch::nonzero((table.grad() != 0).any(1));
  EXPECT_LE(rows.size(0), 2 * 8 * 4);
  EXPECT_GE(rows.size(0), 2 * 4 * 4);  // at an edge weights are zero
  const torch::NoGradGuard no_grad;
  for (int64_t i = 0; i < rows.size(0); ++i) {
    const int64_t row = rows[i].item<int64_t>();
    torch::Tensor one = torch::zeros_like(table);
    one[row][1] = 1;
    EXPECT_NEAR(
        (HashEncode(one, positions, levels) * factors).sum().item<double>(),
        table.grad()[row][1].item<double>(),
        1e-12);
  }
}

}  // namespace
}  // namespace nerfpipe::nerf
