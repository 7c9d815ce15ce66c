#include "data/demo/demo_scene.h"
#include "data/demo/threads.h"
#include "pipeline/base/error.h"

#include <cmath>

namespace nerfpipe::demo {
namespace {

// Sample i of n inside a pixel: the points of a Hammersley set. For n a power
// of two the first and the last lie opposite each other about the middle.
Vec2 SampleOffset(int i, int n) {
  double y = 0;
  double digit = 0.5;
  for (int rest = i; rest > 0; rest /= 2, digit /= 2) y += digit * (rest % 2);
  return {(i + 0.5) / n, y + 0.5 / n};
}

class Renderer {
 public:
  Renderer(const DemoScene& scene,
           std::span<const DemoCamera> shutter,
           const RenderOptions& options)
      : scene_(scene), shutter_(shutter), options_(options) {}

  // One row of pixels.
  void RenderRow(int y, RenderedView* view) const {
    for (int x = 0; x < view->image.width; ++x) {
      const Vec3 color = RenderPixel(x, y) * options_.exposure_gain;
      uint8_t* pixel = view->image.At(x, y);
      pixel[0] = ToneMap(color.x);
      pixel[1] = ToneMap(color.y);
      pixel[2] = ToneMap(color.z);
      if (options_.depth) {
        const Ray ray =
            PixelRay(shutter_[shutter_.size() / 2], {x + 0.5, y + 0.5});
        view->depth[static_cast<size_t>(y) * view->image.width + x] =
            scene_.Trace(ray).distance;
      }
    }
  }

 private:
  struct Traced {
    Ray ray;
    DemoScene::Hit hit;
  };

  Traced TraceSample(int x, int y, int i, int n) const {
    const DemoCamera& camera = shutter_[i * shutter_.size() / n];
    const Vec2 offset = SampleOffset(i, n);
    const Ray ray = PixelRay(camera, {x + offset.x, y + offset.y});
    return {ray, scene_.Trace(ray)};
  }

  Vec3 ShadeSample(const Traced& sample, int n) const {
    const double spread = 1 / (shutter_.front().fx * std::sqrt(n));
    return scene_.Shade(sample.ray, sample.hit, spread);
  }

  Vec3 RenderPixel(int x, int y) const {
    const int n = options_.samples_per_pixel;
    // Inside one thing, two opposite samples stand for all: texture is
    // blurred to what they stand for.
    bool edge = false;
    if (n > 1 && shutter_.size() == 1) {
      const Traced first = TraceSample(x, y, 0, n);
      const Traced last = TraceSample(x, y, n - 1, n);
      edge = first.hit.part != last.hit.part;
      if (!edge) {
        return (ShadeSample(first, 2) + ShadeSample(last, 2)) * 0.5;
      }
    }
    const int count = edge ? 2 * n : n;
    Vec3 sum;
    for (int i = 0; i < count; ++i) {
      sum = sum + ShadeSample(TraceSample(x, y, i, count), count);
    }
    return sum * (1.0 / count);
  }

  const DemoScene& scene_;
  std::span<const DemoCamera> shutter_;
  const RenderOptions& options_;
};

}  // namespace

uint8_t ToneMap(double linear) {
  double c = std::max(linear, 0.0);
  if (c > 0.5) c = 1 - 0.5 * std::exp(-(c - 0.5) / 0.5);
  c = c <= 0.0031308 ? 12.92 * c : 1.055 * std::pow(c, 1 / 2.4) - 0.055;
  return static_cast<uint8_t>(std::lround(255 * c));
}

RenderedView RenderMoving(const DemoScene& scene,
                          std::span<const DemoCamera> shutter,
                          const RenderOptions& options) {
  NERFPIPE_CHECK(!shutter.empty() && options.samples_per_pixel > 0);
  RenderedView view;
  const DemoCamera& camera = shutter.front();
  view.image = Image(camera.width, camera.height, 3);
  if (options.depth) {
    view.depth.resize(static_cast<size_t>(camera.width) * camera.height);
  }
  const Renderer renderer(scene, shutter, options);
  ForEachRow(camera.height, options.threads, [&](int y) {
    renderer.RenderRow(y, &view);
  });
  return view;
}

RenderedView RenderView(const DemoScene& scene,
                        const DemoCamera& camera,
                        const RenderOptions& options) {
  return RenderMoving(scene, {&camera, 1}, options);
}

}  // namespace nerfpipe::demo
