// Which device a trial comes to: the times are made up.

#include "stages/nerf/device_choice.h"

#include "pipeline/base/error.h"
#include "tests/stages/nerf/known_fields.h"
#include "tests/stages/nerf/spheres.h"

#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace nerfpipe::nerf {
namespace {

// Remembers what was asked for.
class DeviceChoiceTest : public ::testing::Test {
 protected:
  DeviceChoice Choose(bool has_gpu, double gpu, double cpu) {
    return ChooseDevice(has_gpu, [&, gpu, cpu](torch::Device device) {
      timed_.push_back(device.str());
      return device.is_cpu() ? cpu : gpu;
    });
  }

  std::vector<std::string> timed_;
};

TEST_F(DeviceChoiceTest, WithoutGpuThereIsNoTrial) {
  const DeviceChoice choice = Choose(false, 0.001, 0.5);
  EXPECT_TRUE(choice.device.is_cpu());
  EXPECT_EQ(choice.reason, "");
  EXPECT_TRUE(timed_.empty());
}

TEST_F(DeviceChoiceTest, FasterGpuIsTaken) {
  const DeviceChoice choice = Choose(true, 0.00152, 0.0124);
  EXPECT_TRUE(choice.device.is_cuda());
  EXPECT_EQ(choice.reason,
            "Training on the GPU: a step takes 1.52 ms on the GPU and 12.4 ms "
            "on the processor.");
  EXPECT_EQ(timed_, (std::vector<std::string>{"cuda", "cpu"}));
}

TEST_F(DeviceChoiceTest, SlowerOrEqualOneIsNot) {
  const DeviceChoice choice = Choose(true, 0.4, 0.0124);
  EXPECT_TRUE(choice.device.is_cpu());
  EXPECT_EQ(choice.reason,
            "Training on the processor: a step takes 400 ms on the GPU and "
            "12.4 ms on the processor.");
  EXPECT_TRUE(Choose(true, 0.5, 0.5).device.is_cpu());
}

TEST_F(DeviceChoiceTest, FailingOneIsNot) {
  const DeviceChoice choice = ChooseDevice(true, [&](torch::Device device) {
    timed_.push_back(device.str());
    throw std::runtime_error("CUDA error: out of memory\nin some source");
    return 0.0;
  });
  EXPECT_TRUE(choice.device.is_cpu());
  EXPECT_EQ(choice.reason,
            "The GPU is left alone, because a trial of it failed: CUDA error: "
            "out of memory");
  EXPECT_EQ(timed_, std::vector<std::string>{"cuda"});
}

TEST_F(DeviceChoiceTest, WhoInterruptsIsHeard) {
  EXPECT_THROW(
      ChooseDevice(true, [](torch::Device) -> double { throw Interrupted(); }),
      Interrupted);
}

TEST_F(DeviceChoiceTest, StepsAreTaken) {
  Options options;
  options.train.method = "nerf";
  options.train.steps = 1000;
  options.train.threads = 1;
  options.nerf = SmallestNerf();
  options.nerf.N_rand = 16;
  Trainer trainer(BallDataset(), BallFrame(), options);
  EXPECT_GT(SecondsPerStep(trainer), 0);
  EXPECT_GT(trainer.step(), 4);
  EXPECT_LE(trainer.step(), 40);
}

}  // namespace
}  // namespace nerfpipe::nerf
