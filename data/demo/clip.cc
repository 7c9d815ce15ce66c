#include "data/demo/clip.h"

#include <cmath>
#include <cstdio>
#include <numbers>

namespace nerfpipe::demo {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;
constexpr double kDegree = kTurn / 360;
constexpr double kRadius = 7.0;
constexpr Vec3 kTarget = {0, 0, 0.45};
constexpr int kShutterSamples = 16;

// A smooth wobble of about one unit, different for every `seed`: the steps of
// the walk, slower sway and a faint tremor.
double Shake(double time, int seed) {
  const double phase = 1.7 * seed;
  return 0.50 * std::sin(kTurn * 0.31 * time + phase) +
         0.32 * std::sin(kTurn * 0.83 * time + 2.3 * phase) +
         0.14 * std::sin(kTurn * 1.9 * time + 3.1 * phase) +
         0.04 * std::sin(kTurn * 4.7 * time + 0.7 * phase);
}

struct Jerk {
  int frame;
  double right;  // degrees during the exposure
  double down;
};
constexpr Jerk kJerks[] = {{47, 0.7, 0.3},
                           {48, 0.9, -0.2},
                           {112, -0.8, 0.5},
                           {113, -0.4, 0.6},
                           {178, 0.5, 0.9},
                           {241, 1.0, 0.2},
                           {242, 0.6, -0.4}};

const Jerk* JerkOf(int index) {
  for (const Jerk& jerk : kJerks) {
    if (jerk.frame == index) return &jerk;
  }
  return nullptr;
}

}  // namespace

DemoCamera OrbitCamera(double time, int width, int height) {
  const double angle = kDegree * (-62 + 37.2 * time + 0.8 * Shake(time, 1));
  const double radius =
      kRadius + 0.35 * std::sin(kTurn * time / 7.3 + 1) + 0.10 * Shake(time, 2);
  // A level walk at one height cannot tell a tall lens from a steep view (a
  // turntable's ambiguity); rising, sinking and tilting the phone settle it.
  const double rise = 2.95 - 1.05 * std::cos(kTurn * time / 10.3 + 0.6) +
                      0.35 * std::sin(kTurn * time / 4.1);
  const Vec3 centre{radius * std::cos(angle),
                    radius * std::sin(angle),
                    rise + 0.05 * Shake(time, 3)};
  const double focal = width * (984.0 / 960.0);
  return DemoCamera::LookAt(centre, kTarget, width, height, focal)
      .Turned(kDegree * 0.7 * Shake(time, 4),
              kDegree * 0.8 * Shake(time, 5),
              kDegree * 4.0 * Shake(time, 6));
}

ClipFrame FrameOfClip(int index, int width, int height) {
  ClipFrame frame;
  frame.index = index;
  frame.time = index / kClipFps;
  frame.exposure_gain = 1 + 0.06 * std::sin(kTurn * frame.time / 9 + 0.8);
  frame.blurred = JerkOf(index) != nullptr;
  frame.camera = OrbitCamera(frame.time, width, height);
  return frame;
}

std::vector<DemoCamera> ShutterOf(const ClipFrame& frame) {
  const Jerk* jerk = JerkOf(frame.index);
  if (jerk == nullptr) return {frame.camera};
  std::vector<DemoCamera> cameras;
  for (int i = 0; i < kShutterSamples; ++i) {
    const double u = (i + 0.5) / kShutterSamples - 0.5;
    cameras.push_back(
        OrbitCamera(
            frame.time + u / kClipFps, frame.camera.width, frame.camera.height)
            .Turned(kDegree * jerk->right * u, kDegree * jerk->down * u, 0));
  }
  return cameras;
}

Image FilmFrame(const DemoScene& scene, const ClipFrame& frame, int threads) {
  RenderOptions options;
  options.exposure_gain = frame.exposure_gain;
  options.threads = threads;
  if (frame.blurred) options.samples_per_pixel = kShutterSamples;
  return RenderMoving(scene, ShutterOf(frame), options).image;
}

std::string CamerasAsJson() {
  const DemoCamera lens = OrbitCamera(0);
  char line[512];
  std::snprintf(line,
                sizeof(line),
                "{\"width\": %d, \"height\": %d, \"fx\": %.12g, \"fy\": %.12g, "
                "\"cx\": %.12g, \"cy\": %.12g,\n",
                lens.width,
                lens.height,
                lens.fx,
                lens.fy,
                lens.cx,
                lens.cy);
  std::string text = line;
  text +=
      "\"axes\": \"COLMAP: x right, y down, z forward; world_from_camera is "
      "row-major 3 x 4, pixel centres at half-integers\",\n\"frames\": [\n";
  for (int i = 0; i < kClipFrames; ++i) {
    const ClipFrame frame = FrameOfClip(i);
    std::snprintf(line,
                  sizeof(line),
                  "{\"index\": %d, \"time\": %.6f, \"exposure_gain\": %.6f, "
                  "\"blurred\": %s, \"world_from_camera\": [",
                  i,
                  frame.time,
                  frame.exposure_gain,
                  frame.blurred ? "true" : "false");
    text += line;
    for (int k = 0; k < 12; ++k) {
      std::snprintf(line,
                    sizeof(line),
                    "%s%.12g",
                    k > 0 ? ", " : "",
                    frame.camera.world_from_camera[k]);
      text += line;
    }
    text += i + 1 < kClipFrames ? "]},\n" : "]}\n";
  }
  return text + "]}\n";
}

}  // namespace nerfpipe::demo
