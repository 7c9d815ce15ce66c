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
    const double left = static_cast<double>(memory) - fixed;
    if (each(plan.image_size) > left) {
      const double room = std::max(0.0, left - kBytesPerPixel * pixels);
      const double scale = std::sqrt(room / (kBytesPerSearchedPixel * pixels));
      plan.image_size = std::clamp(
          static_cast<int>(scale * longer), kSmallestSize, plan.image_size);
    }
    plan.threads = ThreadsWithin(memory, fixed, each(plan.image_size), threads);
  }
  plan.bytes = fixed + plan.threads * each(plan.image_size);
  return plan;
}

}  // namespace nerfpipe::sfm
