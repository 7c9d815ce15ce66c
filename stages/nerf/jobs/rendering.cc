#include "stages/nerf/jobs/rendering.h"

#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "stages/media/image_file.h"
#include "stages/media/video_writer.h"
#include "stages/nerf/camera_pose.h"
#include "stages/nerf/jobs/devices.h"
#include "stages/nerf/jobs/foreign_scene.h"
#include "stages/nerf/jobs/images.h"
#include "stages/nerf/jobs/scene_file.h"
#include "stages/nerf/jobs/training.h"
#include "stages/nerf/method_facts.h"
#include "stages/nerf/one_thread.h"
#include "stages/nerf/render_path.h"
#include "stages/nerf/scene_analysis.h"
#include "stages/nerf/splat_files/formats.h"
#include "stages/nerf/trainer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

#include <ATen/Parallel.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

// Longer side of the video, where the size of the capture is not smaller.
constexpr int kMostSide = 1920;

// The scene that is shown, and its folder.
struct Shown {
  fs::path folder;
  SceneFile scene;
};

// Of two scenes the one with the better held-out views. Larger images have a
// lower SSIM, for they hold more that can be missed: the larger one is shown
// unless it is worse by more than what half the size commonly brings.
bool IsBetter(const SceneFile& a, const SceneFile& b) {
  constexpr double kOfHalfTheSize = 0.04;
  const double sizes =
      std::log2(static_cast<double>(a.LongerSide()) / b.LongerSide());
  return a.ssim + kOfHalfTheSize * sizes > b.ssim;
}

Shown ChooseScene(const std::vector<fs::path>& trained) {
  NERFPIPE_CHECK(!trained.empty());
  Shown shown = {trained.front(), ReadSceneFile(trained.front() / kSceneFile)};
  for (size_t i = 1; i < trained.size(); ++i) {
    SceneFile scene = ReadSceneFile(trained[i] / kSceneFile);
    if (IsBetter(scene, shown.scene)) shown = {trained[i], std::move(scene)};
  }
  return shown;
}

struct FrameFiles {
  fs::path colour;
  fs::path depth;
};

FrameFiles FilesOf(const RenderJob& job, size_t frame) {
  char number[16];
  std::snprintf(number, sizeof(number), "%06zu", frame);
  return {job.scratch / (std::string(number) + ".png"),
          job.scratch / (std::string(number) + "_depth.png")};
}

// Whole or not there, so that a kill leaves no half frame behind.
void WriteFrame(const Image& image, const fs::path& path) {
  const fs::path unfinished =
      path.parent_path() / ("unfinished_" + path.filename().string());
  WriteImage(image, unfinished);
  fs::rename(unfinished, path);
}

nerf::PathOptions PathFor(const RenderSettings& settings,
                          const SceneFile& scene,
                          const nerf::MethodFacts& method) {
  const nerf::Camera& like = scene.views.train.front().camera;
  nerf::PathOptions path;
  path.path = settings.path;
  path.frames = settings.frames;
  path.width = settings.width;
  path.height = settings.height;
  if (path.width == 0 && path.height == 0) {
    double scale = settings.scale;
    if (scale == 0) {
      const int side = std::max(like.width, like.height);
      const int whole = side * (method.cheap_pictures ? scene.factor : 1);
      scale = static_cast<double>(std::min(whole, kMostSide)) / side;
    }
    path.width = std::max(1, static_cast<int>(std::lround(scale * like.width)));
  }
  return path;
}

nerf::Camera Smaller(const nerf::Camera& camera, int divisor) {
  nerf::Camera small = camera;
  small.width = std::max(1, camera.width / divisor);
  small.height = std::max(1, camera.height / divisor);
  small.fx *= static_cast<double>(small.width) / camera.width;
  small.fy *= static_cast<double>(small.height) / camera.height;
  small.cx = small.width / 2.0;
  small.cy = small.height / 2.0;
  return small;
}

// One scale for the whole video, from a few small renders along the path.
DepthScale MeasureDepths(const nerf::Method& method,
                         const std::vector<nerf::Camera>& cameras,
                         const nerf::DepthRange& otherwise) {
  constexpr size_t kLooks = 4;
  constexpr int kDivisor = 4;
  constexpr size_t kEnough = 16;  // pixels with something in them
  std::vector<double> depths;
  for (size_t i = 0; i < kLooks; ++i) {
    const nerf::RenderedView view = method.RenderView(
        Smaller(cameras[i * cameras.size() / kLooks], kDivisor));
    const torch::Tensor solid =
        view.depth.masked_select(view.opacity > 0.5).to(torch::kDouble);
    const double* values = solid.data_ptr<double>();
    depths.insert(depths.end(), values, values + solid.numel());
  }
  DepthScale scale = {otherwise.near, otherwise.far};
  if (depths.size() >= kEnough) {
    const double near = Quantile(depths, 0.02);
    const double far = Quantile(depths, 0.98);
    if (near > 0 && far > 1.001 * near) {
      scale = {near, far};
    }
  }
  return scale;
}

nerf::RenderedView RenderFrame(const nerf::Method& method,
                               const nerf::Camera& camera) {
  nerf::RenderedView view = method.RenderView(camera, InterruptRequested);
  ThrowIfInterrupted();
  return view;
}

VideoWriter WriterOf(const fs::path& video,
                     const ImageSize& size,
                     const RenderSettings& settings) {
  // A slower preset takes longer than the pictures, for files as large.
  return {
      video, size.width, size.height, settings.fps, settings.crf, "veryfast"};
}

// Colours and depths, as videos and their first frames.
class Videos {
 public:
  Videos(const RenderSettings& settings,
         const ImageSize& size,
         std::array<fs::path, 2> videos,
         std::array<fs::path, 2> posters)
      : videos_{{WriterOf(videos[0], size, settings),
                 WriterOf(videos[1], size, settings)}},
        posters_(std::move(posters)) {}

  void Write(const Image& colour, const Image& depth) {
    const std::array<const Image*, 2> images = {&colour, &depth};
    for (int k = 0; k < 2; ++k) {
      if (first_) WriteImage(*images[k], posters_[k]);
      videos_[k].Write(*images[k]);
    }
    first_ = false;
  }
  void Finish() {
    for (VideoWriter& video : videos_) video.Finish();
  }

 private:
  std::array<VideoWriter, 2> videos_;
  std::array<fs::path, 2> posters_;
  bool first_ = true;
};

// Frames that take long are kept in files: what was rendered before Ctrl-C need
// not be rendered again.
void RenderSlowly(const RenderJob& job,
                  const nerf::Method& method,
                  const std::vector<nerf::Camera>& cameras,
                  const DepthScale& scale,
                  Progress& progress,
                  Videos* videos) {
  for (size_t i = 0; i < cameras.size(); ++i) {
    ThrowIfInterrupted();
    const FrameFiles files = FilesOf(job, i);
    if (!fs::exists(files.colour) || !fs::exists(files.depth)) {
      const nerf::RenderedView view = RenderFrame(method, cameras[i]);
      WriteFrame(ToImage(view.rgb), files.colour);
      WriteFrame(DepthImage(view.depth, view.opacity, scale), files.depth);
    }
    progress.Update(static_cast<int64_t>(i) + 1);
  }
  for (size_t i = 0; i < cameras.size(); ++i) {
    ThrowIfInterrupted();
    const FrameFiles files = FilesOf(job, i);
    videos->Write(ReadImage(files.colour), ReadImage(files.depth));
  }
}

// Each thread on a frame of its own: nobody waits for anybody's part of one.
void RenderQuickly(const nerf::Method& method,
                   const std::vector<nerf::Camera>& cameras,
                   const DepthScale& scale,
                   int threads,
                   Progress& progress,
                   Videos* videos) {
  int64_t written = 0;
  ParallelInOrder(
      std::ssize(cameras),
      threads,
      [&](int64_t i) {
        const nerf::OneThread one_thread;
        const nerf::RenderedView view = RenderFrame(method, cameras[i]);
        return std::pair(ToImage(view.rgb),
                         DepthImage(view.depth, view.opacity, scale));
      },
      [&](const std::pair<Image, Image>& images) {
        videos->Write(images.first, images.second);
        progress.Update(++written);
      });
}

// What is filmed, and how.
struct Film {
  const nerf::Method& method;
  const nerf::Dataset& views;
  const nerf::SceneFrame& frame;
  nerf::PathOptions path;
  bool instant = false;  // nothing need be kept of frames
};

// Facts as of Render(). Files are named by job.name, or as the settings say.
StageResult Shoot(const RenderJob& job, const Film& film) {
  const std::vector<nerf::Camera> cameras =
      nerf::MakeRenderPath(film.views, film.frame, film.path);
  const std::string path = film.path.path == "auto"
                               ? nerf::DefaultPath(film.frame.type)
                               : film.path.path;
  const ImageSize size = {cameras.front().width, cameras.front().height};
  const std::string size_text =
      std::to_string(size.width) + "x" + std::to_string(size.height);
  const std::string method = film.method.Name();
  job.report->Info("Scene of " + method + ", path " + path + ", " +
                   std::to_string(cameras.size()) + " frames of " + size_text +
                   ".");
  RenderSettings named = job.settings;
  named.path = job.name_after_path ? path : job.settings.path;
  const std::vector<std::string> outputs =
      job.name.empty() ? RenderOutputs(named) : VideoFiles(job.name);
  fs::create_directories((job.out / outputs[0]).parent_path());
  Videos videos(job.settings,
                size,
                {job.out / outputs[0], job.out / outputs[1]},
                {job.out / outputs[2], job.out / outputs[3]});
  const DepthScale scale =
      MeasureDepths(film.method, cameras, nerf::DepthsOf(film.views));
  {
    const std::unique_ptr<Progress> progress = job.report->Start(
        "Rendering", static_cast<int64_t>(cameras.size()), "frames");
    if (film.instant) {
      RenderQuickly(
          film.method, cameras, scale, job.threads, *progress, &videos);
    } else {
      RenderSlowly(job, film.method, cameras, scale, *progress, &videos);
    }
  }
  videos.Finish();
  StageResult result = StageResult::Done(
      method + ", " + path + ", " + std::to_string(cameras.size()) +
      " frames of " + size_text + ": " + outputs[0]);
  result.facts["render"] = {{"method", method},
                            {"path", path},
                            {"frames", cameras.size()},
                            {"width", size.width},
                            {"height", size.height}};
  result.facts["results"] = {{"video", outputs[0]},
                             {"depth_video", outputs[1]}};
  return result;
}

StageResult RenderForeign(const RenderJob& job) {
  // Of what nobody said the size.
  constexpr int kWidth = 1280;
  constexpr int kHeight = 720;
  const splats::Format& format = splats::FormatOfFile(job.foreign);
  const splats::SplatCloud cloud = splats::ReadSplats(job.foreign);
  job.report->Info(std::to_string(cloud.count()) +
                   " gaussians with harmonics of degree " +
                   std::to_string(cloud.degree) + ".");
  if (cloud.dropped > 0) {
    job.report->Warn(std::to_string(cloud.dropped) +
                     " gaussians have values that are no numbers and are left "
                     "out");
  }
  const std::string up = job.up != "auto" ? job.up : format.y_down ? "-y" : "y";
  const nerf::Dataset views = CamerasRound(cloud, up, kWidth, kHeight);
  nerf::SceneFrame frame;
  frame.type = nerf::SceneType::kOrbit;
  nerf::PathOptions path;
  path.path = job.settings.path;
  path.frames = job.settings.frames;
  path.width = job.settings.width;
  path.height = job.settings.height;
  at::set_num_threads(job.threads);
  const auto method = MethodOf(cloud);
  return Shoot(job, {*method, views, frame, path, /*instant=*/true});
}

}  // namespace

StageResult Render(const RenderJob& job) {
  NERFPIPE_CHECK(job.report != nullptr);
  if (!job.foreign.empty()) return RenderForeign(job);
  const Shown shown = ChooseScene(job.trained);
  const std::unique_ptr<nerf::Trainer> trainer = OpenTrained(
      shown.folder / kCheckpointFile, job.threads, job.device, *job.report);
  const nerf::MethodFacts& facts =
      nerf::FactsOf(trainer->options().train.method);
  return Shoot(job,
               {trainer->method(),
                shown.scene.views,
                trainer->frame(),
                PathFor(job.settings, shown.scene, facts),
                facts.instant_pictures});
}

}  // namespace nerfpipe
