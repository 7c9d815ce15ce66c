// The upkeep of the occupancy grid on a model whose density is 1 everywhere:
// the optical thickness that is found is the length of the step.

#include "stages/nerf/kernels/grid_update.h"

#include "stages/nerf/kernels/ngp_kernels.h"
#include "tests/stages/nerf/kernels/reference.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace nerfpipe::nerf::kernels {
namespace {

constexpr size_t kSeen = 61;  // every such cell can be seen

class GridUpdateTest : public ::testing::Test {
 protected:
  GridUpdateTest()
      : shape_{.log2_table = 10, .finest_resolution = 64},
        values_(shape_),
        first_(shape_),
        second_(shape_),
        thickness_(kGridCells, -1.0f) {
    auto& seconds = second_.tensors.table;
    seconds = seconds.first(seconds.size() / kFeatures);
    for (size_t i = 0; i < kGridCells; i += kSeen) thickness_[i] = 1;
    options_.decay = 0.95f;
    options_.threshold = 0.01f;
    options_.warmup = 32;
    options_.every = 4;
  }

  // Once the cells are as they are to be.
  void Begin() {
    grid_ = std::make_unique<OccupancyGrid>(thickness_);
    kernels_ = std::make_unique<NgpKernels>(shape_,
                                            values_.tensors,
                                            first_.tensors,
                                            second_.tensors,
                                            grid_.get(),
                                            Precision::kFloat,
                                            1);
  }
  void Update(int64_t from, int64_t to, float length) {
    options_.length = length;
    for (int64_t step = from; step < to; ++step) {
      kernels_->UpdateGridIfDue(options_, step);
    }
  }
  // Of the cells that can be seen.
  std::pair<float, float> Extremes() const {
    float least = 1e9f, most = -1e9f;
    for (size_t i = 0; i < kGridCells; ++i) {
      if (i % kSeen != 0) continue;
      least = std::min(least, thickness_[i]);
      most = std::max(most, thickness_[i]);
    }
    return {least, most};
  }

  NgpShape shape_;
  reference::Parameters values_, first_, second_;
  std::vector<float> thickness_;
  GridOptions options_;
  std::unique_ptr<OccupancyGrid> grid_;
  std::unique_ptr<NgpKernels> kernels_;
};

// Every second of 32 steps visits an eighth of the cells; the first visit says
// what is there, the later ones let it fade or rise.
TEST_F(GridUpdateTest, WarmUpVisitsAllCellsTwice) {
  Begin();
  Update(0, 17, 1.5f);
  auto [least, most] = Extremes();
  EXPECT_NEAR(most, 1.5, 1e-5);
  EXPECT_NEAR(least, 1.5 * std::pow(0.95, 7), 1e-5);
  Update(17, 32, 0.25f);
  std::tie(least, most) = Extremes();
  EXPECT_NEAR(most, 1.5 * std::pow(0.95, 7), 1e-5);
  EXPECT_NEAR(least, 1.5 * std::pow(0.95, 14), 1e-5);
  EXPECT_EQ(thickness_[1], -1);
  EXPECT_EQ(grid_->occupied().size(), (kGridCells + kSeen - 1) / kSeen);
}

// A 32nd of all, and as many that are occupied: here all are.
TEST_F(GridUpdateTest, LaterOnesComeEveryFewStepsToSomeCells) {
  std::fill(thickness_.begin(), thickness_.end(), 1.0f);
  Begin();
  options_.warmup = 0;
  Update(9, 12, 50);
  EXPECT_EQ(thickness_[0], 1);
  EXPECT_EQ(std::count(thickness_.begin(), thickness_.end(), 1.0f),
            static_cast<int64_t>(kGridCells));
  Update(12, 16, 50);
  const auto raised = std::count(thickness_.begin(), thickness_.end(), 50.0f);
  EXPECT_NEAR(static_cast<double>(raised) / kGridCells, 2.0 / 32, 0.003);
  EXPECT_EQ(std::count(thickness_.begin(), thickness_.end(), 0.95f) + raised,
            static_cast<int64_t>(kGridCells));
  for (size_t run = 0; run < kGridCells; run += 32) {
    const auto begin = thickness_.begin() + static_cast<int64_t>(run);
    ASSERT_EQ(*std::max_element(begin, begin + 32), 50) << run;
  }
}

TEST_F(GridUpdateTest, FinerCellsAreLookedForFromHalfOfTheirTime) {
  Begin();
  options_.warmup = 0;
  options_.every = 1000;
  Update(1, 40, 1);
  EXPECT_FALSE(kernels_->fine());
  options_.refine_every = 20;
  Update(41, 50, 1);
  EXPECT_FALSE(kernels_->fine());
  Update(50, 51, 1);
  EXPECT_TRUE(kernels_->fine());
}

// Occupied is what is above the threshold or, in a thin scene, above the mean
// of what can be seen.
TEST_F(GridUpdateTest, ThresholdIsTheLowerOfTwo) {
  std::fill(thickness_.begin(), thickness_.end(), 0.0099f);
  Begin();
  const auto occupied = [&](size_t from, size_t to, float value) {
    std::fill(thickness_.begin() + static_cast<int64_t>(from),
              thickness_.begin() + static_cast<int64_t>(to),
              value);
    grid_->Rebuild(0.01f, 1);
    return grid_->occupied().size();
  };
  EXPECT_EQ(occupied(0, 9000, 5), 9000);
  EXPECT_EQ(occupied(9000, 9300, 0.0101f), 9300);
  occupied(0, kGridCells, 1e-4f);
  occupied(100, 300, -1);
  EXPECT_EQ(occupied(0, 100, 2e-3f), 100);
}

TEST_F(GridUpdateTest, FreeCellsAreAtTheirPlaces) {
  Begin();
  EXPECT_EQ(grid_->free(), nullptr);
  const auto free = std::make_unique<bool[]>(kGridCells);
  free[3 + kGridSide * (70 + kGridSide * 101)] = true;
  grid_->SetFree({free.get(), kGridCells});
  EXPECT_TRUE(grid_->free()->Has(3, 70, 101));
  EXPECT_FALSE(grid_->free()->Has(70, 3, 101));
  EXPECT_FALSE(grid_->free()->Has(3, 101, 70));
  EXPECT_FALSE(grid_->free()->Has(101, 70, 3));
}

}  // namespace
}  // namespace nerfpipe::nerf::kernels
