#include "stages/colmap/memory_plan.h"

#include "pipeline/base/memory.h"

#include <algorithm>

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

MemoryPlan PlanMemory(int width,
                      int height,
                      size_t images,
                      const FeatureOptions& options,
                      int threads,
                      int64_t memory) {
  const int longer = std::max(width, height);
  const double pixels = static_cast<double>(width) * height;
  const double fixed = kProgram + kBytesPerFeature * options.max_features *
                                      static_cast<double>(images);
  const auto each = [&](int size) {
    const double scale = std::min(1.0, static_cast<double>(size) / longer);
    return kBytesPerSearchedPixel * scale * scale * pixels +
           kBytesPerPixel * pixels;
  };
  MemoryPlan plan;
  plan.image_size = options.max_image_size;
  plan.threads = threads;
  if (memory > 0) {
    // What the features themselves take shrinks with no image.
    const double left = std::max(static_cast<double>(memory) - fixed,
                                 kLeastShare * static_cast<double>(memory));
    while (each(plan.image_size) > left && plan.image_size > kSmallestSize) {
      plan.image_size =
          std::max(kSmallestSize, static_cast<int>(kStep * plan.image_size));
    }
    plan.threads = ThreadsWithin(memory, fixed, each(plan.image_size), threads);
  }
  const double search = plan.threads * each(plan.image_size);
  plan.bytes = fixed + search;
  if (memory > 0) {
    plan.most_features = static_cast<int64_t>(std::max(
        0.0,
        (static_cast<double>(memory) - kProgram - search) / kBytesPerFeature));
  }
  return plan;
}

}  // namespace nerfpipe::sfm
