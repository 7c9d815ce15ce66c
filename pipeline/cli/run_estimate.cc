#include "pipeline/cli/run_estimate.h"

#include "pipeline/base/error.h"
#include "pipeline/base/text.h"

#include <algorithm>
#include <cmath>

namespace nerfpipe {
namespace {

// What a stage takes, on two cores: time as the tables of README.md and
// docs/PERFORMANCE.md have it, bytes as they were counted in a workspace of the
// demo (100 frames from 300), with unfinished work beside what is kept. A frame
// has 0.74 MB in database.db, 0.73 MB in colmap/ and sparse/, and 0.7 MB of
// kept features; the scene of `ngp` has 0.12 GB, that of `splat` 0.05, twice
// each.
struct StageCost {
  const char* stage;
  double seconds;                 // whatever the capture
  double seconds_per_read_pixel;  // of the clip, or the photos
  double seconds_per_frame;
  double seconds_per_pixel;  // of all frames
  double bytes;
  double bytes_per_frame;
  double bytes_per_pixel;
};

constexpr StageCost kCosts[] = {
    {"extract", 0, 12e-9, 0, 0, 0, 0, 0.6},
    {"check", 0, 0, 0.034, 0, 0, 5e3, 0},
    {"colmap", 0, 0, 0.65, 0, 0, 2.2e6, 0.6},
    {"downsample", 0, 0, 0, 14e-9, 0, 0, 0.3},
    {"train", 0, 0, 0, 0, 250e6, 0, 0},
    {"splat", 0, 0, 0, 0, 120e6, 0, 0},
    {"export", 0.7, 0, 0, 0, 28e6, 0, 0},
};

// 50 photos of `fox`, all pairs of which are compared: 75 s.
constexpr double kSecondsPerPair = 0.035;
// Of more, neighbours are compared, as of frames of a video.
constexpr int64_t kMostWithAllPairs = 150;

// Of a pixel of the video and of its depth.
struct PictureCost {
  const char* method;
  double seconds_per_pixel;
  int longer_side;  // at most, where the size is left open
};

constexpr PictureCost kPictures[] = {
    {"splat", 68e-9, 1920},
    {"ngp", 1.03e-6, 1920},
    // A training step has 1024 rays and takes 5.8 s, a third of it forwards.
    {"nerf", 1.9e-3, 550},
};
// Frames of both wait as PNG for the end.
constexpr double kBytesPerRenderedPixel = 2;

double Pixels(double width, double height) { return width * height; }

// Of one picture of the video.
double PicturePixels(const RunSize& size,
                     const RunWork& work,
                     int longer_side) {
  const double aspect = 1.0 * size.width / size.height;
  if (work.video_width > 0 && work.video_height > 0) {
    return Pixels(work.video_width, work.video_height);
  }
  if (work.video_width > 0) {
    return Pixels(work.video_width, work.video_width / aspect);
  }
  if (work.video_height > 0) {
    return Pixels(work.video_height * aspect, work.video_height);
  }
  const double scale =
      std::min(1.0, 1.0 * longer_side / std::max(size.width, size.height));
  return Pixels(scale * size.width, scale * size.height);
}

// Two figures: more would promise too much.
double Rounded(double value) {
  if (value <= 0) return 0;
  const double unit = std::pow(10, std::floor(std::log10(value)) - 1);
  return std::round(value / unit) * unit;
}

std::string AboutBytes(int64_t bytes) {
  return HumanBytes(std::llround(Rounded(static_cast<double>(bytes))));
}

}  // namespace

RunEstimate EstimateRun(const RunSize& size, const RunWork& work) {
  NERFPIPE_CHECK(size.width > 0 && size.height > 0);
  const auto frames = static_cast<double>(size.frames);
  const double pixels = Pixels(size.width, size.height);
  double seconds = 0;
  double bytes = 0;
  for (const StageCost& cost : kCosts) {
    if (!work.stages.contains(cost.stage)) continue;
    seconds +=
        cost.seconds +
        cost.seconds_per_read_pixel * static_cast<double>(size.read) * pixels +
        cost.seconds_per_frame * frames +
        cost.seconds_per_pixel * frames * pixels;
    bytes += cost.bytes + cost.bytes_per_frame * frames +
             cost.bytes_per_pixel * frames * pixels;
    const auto training = work.training_seconds.find(cost.stage);
    if (training != work.training_seconds.end()) seconds += training->second;
  }
  if (work.stages.contains("colmap") && !size.video &&
      size.frames <= kMostWithAllPairs) {
    seconds += kSecondsPerPair * frames * (frames - 1) / 2;
  }
  for (const PictureCost& cost : kPictures) {
    if (!work.stages.contains("render") || work.shown != cost.method) continue;
    const double rendered =
        work.video_frames * PicturePixels(size, work, cost.longer_side);
    seconds += cost.seconds_per_pixel * rendered;
    bytes += kBytesPerRenderedPixel * rendered;
  }
  return {seconds, std::llround(bytes)};
}

std::string EstimateText(const RunEstimate& estimate, int64_t free_bytes) {
  return "About " + HumanDuration(Rounded(estimate.seconds)) +
         " on two cores, and " + AboutBytes(estimate.bytes) + " of the " +
         HumanBytes(free_bytes) + " that are free.";
}

void CheckRoom(const RunEstimate& estimate,
               int64_t free_bytes,
               const std::filesystem::path& folder,
               Report& report) {
  if (estimate.bytes <= free_bytes) return;
  const std::string problem = "this run needs about " +
                              AboutBytes(estimate.bytes) + " on the disk of " +
                              folder.string() + ", where " +
                              HumanBytes(free_bytes) + " are free";
  // The estimate is not wrong by as much.
  if (estimate.bytes / 2 > free_bytes) {
    throw UserError(problem,
                    "free some space ('nerfpipe clean -w " + folder.string() +
                        "' shows what can go), or choose another disk with "
                        "-w");
  }
  report.Warn(problem + ": it may not come to its end");
}

}  // namespace nerfpipe
