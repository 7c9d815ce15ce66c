#include "stages/colmap/frames_between.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ColmapModel Holding(const std::vector<std::string>& names) {
  ColmapModel model;
  for (const std::string& name : names) {
    model.images[static_cast<uint32_t>(model.images.size())].name = name;
  }
  return model;
}

std::vector<int64_t> Indices(const std::vector<FrameBetween>& frames) {
  std::vector<int64_t> indices;
  for (const FrameBetween& frame : frames) indices.push_back(frame.index);
  return indices;
}

TEST(ChooseFramesBetween, FillsTheStepsThatNoModelMakes) {
  const std::vector<std::string> names = {
      "00001.jpg", "00002.jpg", "00003.jpg", "00004.jpg", "00005.jpg"};
  const auto chosen = ChooseFramesBetween(names,
                                          {0, 8, 12, 100, 101},
                                          {Holding({"00001.jpg", "00002.jpg"}),
                                           Holding({"00002.jpg", "00003.jpg"}),
                                           Holding({"00004.jpg"})});
  // From 12 to 100 seven equal parts of 11; between 100 and 101 lies nothing.
  EXPECT_THAT(Indices(chosen), ElementsAre(23, 34, 45, 56, 67, 78, 89));
  EXPECT_EQ(chosen[0].name, "00003_1.jpg");
  EXPECT_EQ(chosen[6].name, "00003_7.jpg");
  EXPECT_EQ(chosen[6].after, 2);
  EXPECT_LT(names[2], chosen[0].name);
  EXPECT_LT(chosen[6].name, names[3]);
}

TEST(ChooseFramesBetween, ManyBreaksGetFewerEach) {
  std::vector<std::string> names;
  std::vector<int64_t> indices;
  for (int i = 0; i < 101; ++i) {
    names.push_back("0" + std::to_string(1000 + i) + ".jpg");
    indices.push_back(10 * i);
  }
  EXPECT_EQ(ChooseFramesBetween(names, indices, {}).size(), 100u);
  EXPECT_EQ(ChooseFramesBetween(names, indices, {})[0].index, 5);
  names.push_back("01101.jpg");
  indices.push_back(1010);
  EXPECT_THAT(ChooseFramesBetween(names, indices, {}), IsEmpty());
  // All in one model: nothing to fill.
  EXPECT_THAT(ChooseFramesBetween(names, indices, {Holding(names)}), IsEmpty());
}

}  // namespace
}  // namespace nerfpipe::sfm
