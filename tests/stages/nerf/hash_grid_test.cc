// The hash grid: index rules and interpolation against numpy, and the fast
// loops against the plain definition and its autograd.

#include "stages/nerf/hash_grid.h"

#include "tests/reference/nerf_reference.h"

#include <ATen/Parallel.h>
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
  EXPECT_LT((HashEncodePlain(table, positions, levels) - expected)
                .abs()
                .max()
                .item<double>(),
            1e-9);
  EXPECT_LT((HashGather(table, positions, levels) - expected)
                .abs()
                .max()
                .item<double>(),
            1e-9);
}

TEST(HashGridTest, ScatterEqualsAutograd) {
  for (const int features : {1, 2, 4, 8}) {
    const auto levels = HashLevels(5, 4, 64, 9);
    torch::manual_seed(features);
    const torch::Tensor table =
        torch::rand({HashRows(levels), features}, torch::kFloat64)
            .requires_grad_(true);
    const torch::Tensor positions = torch::rand({300, 3}, torch::kFloat64);
    const torch::Tensor gradient =
        torch::randn({300, 5 * features}, torch::kFloat64);
    HashEncodePlain(table, positions, levels).backward(gradient);

    torch::Tensor sums[2];
    for (const int threads : {1, 2}) {
      at::set_num_threads(threads);
      torch::Tensor sum = torch::zeros_like(table.detach());
      torch::Tensor touched = torch::zeros({table.size(0)}, torch::kUInt8);
      HashScatter(gradient, positions, levels, sum, touched);
      EXPECT_LT((sum - table.grad()).abs().max().item<double>(), 1e-12);
      // Every row with a gradient is flagged.
      EXPECT_TRUE(((sum != 0).any(1) <= (touched != 0)).all().item<bool>());
      sums[threads - 1] = sum;
    }
    at::set_num_threads(1);
    EXPECT_TRUE(sums[0].equal(sums[1])) << "depends on the threads";
  }
}

}  // namespace
}  // namespace nerfpipe::nerf
