#pragma once

// The camera work of the demo capture: what is filmed when.

#include "data/demo/demo_scene.h"

#include <string>
#include <vector>

namespace nerfpipe::demo {

inline constexpr int kClipFrames = 300;
inline constexpr double kClipFps = 30;
inline constexpr int kClipWidth = 960;
inline constexpr int kClipHeight = 540;

// A hand-held walk round the car: 372 degrees in 10 seconds at an almost
// constant distance, rising, sinking and tilting, with a little shake. `time`
// in seconds. The focal length is in proportion to the width.
DemoCamera OrbitCamera(double time,
                       int width = kClipWidth,
                       int height = kClipHeight);

struct ClipFrame {
  int index = 0;
  double time = 0;           // seconds, the middle of the exposure
  double exposure_gain = 1;  // drifts slowly
  bool blurred = false;      // the hand jerked
  DemoCamera camera;         // at `time`
};
ClipFrame FrameOfClip(int index,
                      int width = kClipWidth,
                      int height = kClipHeight);

// Cameras over the frame's exposure: one for a sharp frame.
std::vector<DemoCamera> ShutterOf(const ClipFrame& frame);

// The picture as filmed.
Image FilmFrame(const DemoScene& scene,
                const ClipFrame& frame,
                int threads = 0);

// All cameras as JSON text, one frame a line.
std::string CamerasAsJson();

}  // namespace nerfpipe::demo
