#include "stages/colmap/memory_plan.h"

#include "pipeline/base/memory.h"

#include <algorithm>
#include <cmath>

namespace nerfpipe::sfm {
namespace {

// A scale space holds some 18 float images of twice the width and height, and a
// thread the decoded image beside it.
constexpr double kBytesPerSearchedPixel = 18 * 4 * sizeof(float);
constexpr double kBytesPerPixel = 6;
// Measured: the libraries; features, matches and the model, per feature kept.
constexpr double kProgram = 250e6;
constexpr double kBytesPerFeature = 700;
constexpr double kLeastShare = 0.3;
// Steps are coarse, so that a run that goes on under another load finds the
// features of the one before.
constexpr double kStep = 0.8;
constexpr int kSmallestSize = 320;

}  // namespace

int MemoryPlan::ThreadsBeside(int64_t features) const {
  const double fixed =
      kProgram + kBytesPerFeature * static_cast<double>(features);
  return now > 0 ? ThreadsWithin(now, fixed, bytes_search, threads) : threads;
}

int64_t MemoryPlan::LimitFor(int64_t features) const {
  return std::llround(kProgram + bytes_search +
                      kBytesPerFeature * static_cast<double>(features));
}

MemoryPlan PlanMemory(int width,
                      int height,
                      size_t images,
                      const FeatureOptions& options,
                      int threads,
                      const MemoryBounds& bounds) {
  const int longer = std::max(width, height);
  const double pixels = static_cast<double>(width) * height;
  const int64_t features = static_cast<int64_t>(images) * options.max_features;
  const double fixed =
      kProgram + kBytesPerFeature * static_cast<double>(features);
  const auto each = [&](int size) {
    const double scale = std::min(1.0, static_cast<double>(size) / longer);
    return kBytesPerSearchedPixel * scale * scale * pixels +
           kBytesPerPixel * pixels;
  };
  MemoryPlan plan;
  plan.now = bounds.now;
  plan.image_size = options.max_image_size;
  plan.threads = threads;
  // What the features themselves take shrinks with no image, so that a share is
  // left to the search whatever they take.
  plan.wanted = std::llround(std::min(each(plan.image_size) + fixed,
                                      each(plan.image_size) / kLeastShare));
  const auto limit = static_cast<double>(bounds.limit);
  if (limit > 0) {
    const double left = std::max(limit - fixed, kLeastShare * limit);
    while (each(plan.image_size) > left && plan.image_size > kSmallestSize) {
      plan.image_size =
          std::max(kSmallestSize, static_cast<int>(kStep * plan.image_size));
    }
  }
  plan.bytes_search = each(plan.image_size);
  plan.threads = plan.ThreadsBeside(features);
  plan.bytes = fixed + plan.threads * plan.bytes_search;
  if (limit > 0) {
    plan.most_features = static_cast<int64_t>(std::max(
        0.0, (limit - kProgram - plan.bytes_search) / kBytesPerFeature));
  }
  return plan;
}

}  // namespace nerfpipe::sfm
