// What options that are left open come to: by pixels, scene and length of run.

#include "stages/nerf/ngp_settings.h"
#include "stages/nerf/splat/splat_settings.h"

#include <gtest/gtest.h>

namespace nerfpipe::nerf {
namespace {

NgpOptions Settled(double seconds, const RunFacts& facts) {
  Options options;
  options.train.time = seconds;
  SettleNgp(&options, facts);
  return options.ngp;
}

TEST(NgpSettings, StepsAndCellsAreThoseOfAPixel) {
  // Two pixels; a cell of 4 / 4096 is less than one of them, 4 / 2048 is not.
  EXPECT_DOUBLE_EQ(Settled(60, {.pixel = 1.0 / 984}).cone, 1.0 / 492);
  EXPECT_EQ(Settled(60, {.pixel = 1.0 / 984}).finest_resolution, 4096);
  EXPECT_EQ(Settled(60, {.pixel = 1.0 / 1030}).finest_resolution, 8192);
  // Small images are not to be seen through larger steps or coarser cells.
  EXPECT_DOUBLE_EQ(Settled(60, {.pixel = 1.0 / 100}).cone, 1.0 / 128);
  EXPECT_EQ(Settled(60, {.pixel = 1.0 / 100}).finest_resolution, 2048);
  EXPECT_EQ(
      Settled(60, {.bounded = true, .pixel = 1.0 / 984}).finest_resolution,
      1024);
}

TEST(NgpSettings, TablesGrowWithTimeAndPixels) {
  const RunFacts small = {.all_pixels = 5'300'000, .pixel = 1.0 / 343};
  const RunFacts large = {.all_pixels = 11'000'000, .pixel = 1.0 / 492};
  const RunFacts box = {.bounded = true, .all_pixels = 16'000'000};
  EXPECT_EQ(Settled(15, small).log2_table, 17);
  EXPECT_EQ(Settled(40, small).log2_table, 18);
  EXPECT_EQ(Settled(60, small).log2_table, 19);
  EXPECT_EQ(Settled(60, large).log2_table, 20);
  EXPECT_EQ(Settled(60, box).log2_table, 18);
}

TEST(NgpSettings, WhatWasAskedForStays) {
  Options options;
  options.ngp.cone = 0.05;
  options.ngp.finest_resolution = 300;
  options.ngp.log2_table = 12;
  SettleNgp(&options, {.all_pixels = 11'000'000, .pixel = 1.0 / 492});
  EXPECT_EQ(options.ngp.cone, 0.05);
  EXPECT_EQ(options.ngp.finest_resolution, 300);
  EXPECT_EQ(options.ngp.log2_table, 12);
}

TEST(SplatSettings, NumberGrowsWithPixelsAndTime) {
  const auto count = [](int64_t pixels, double seconds) {
    Options options;
    options.train.method = "splat";
    options.train.time = seconds;
    options.train.steps = 1'000'000'000;
    splat::SettleSplat(&options, pixels);
    return options.splat.count;
  };
  EXPECT_NEAR(count(125'000, 60), 60'000, 1);
  EXPECT_NEAR(count(952 * 536, 60), 128'243, 100);
  EXPECT_NEAR(count(952 * 536, 120), 149'991, 100);
  EXPECT_NEAR(count(31'250, 60), 44'845, 100);
}

}  // namespace
}  // namespace nerfpipe::nerf
