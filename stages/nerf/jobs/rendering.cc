#include "stages/nerf/jobs/rendering.h"

#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "stages/media/image_file.h"
#include "stages/media/video_writer.h"
#include "stages/nerf/camera_geometry.h"
#include "stages/nerf/jobs/images.h"
#include "stages/nerf/jobs/scene_file.h"
#include "stages/nerf/jobs/training.h"
#include "stages/nerf/methods.h"
#include "stages/nerf/render_path.h"
#include "stages/nerf/scene_analysis.h"
#include "stages/nerf/trainer.h"

#include <algorithm>
#include <cstdio>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

// Smaller training images than this give a video of twice their size.
constexpr int kSmallSide = 400;

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
                          const nerf::Camera& like,
                          const nerf::MethodEntry& method) {
  nerf::PathOptions path;
  path.path = settings.path;
  path.frames = settings.frames;
  path.width = settings.width;
  path.height = settings.height;
  if (path.width == 0 && path.height == 0) {
    const bool small = std::max(like.width, like.height) < kSmallSide;
    const double scale = settings.scale > 0               ? settings.scale
                         : small && method.cheap_pictures ? 2
                                                          : 1;
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
DepthScale MeasureDepths(const nerf::Trainer& trainer,
                         const std::vector<nerf::Camera>& cameras,
                         const nerf::DepthRange& otherwise) {
  constexpr size_t kLooks = 4;
  constexpr int kDivisor = 4;
  constexpr size_t kEnough = 16;  // pixels with something in them
  std::vector<double> depths;
  for (size_t i = 0; i < kLooks; ++i) {
    const nerf::RenderedView view = trainer.RenderView(
        Smaller(cameras[i * cameras.size() / kLooks], kDivisor));
    const torch::Tensor solid =
        view.depth.masked_select(view.opacity > 0.5).to(torch::kDouble);
    const double* values = solid.data_ptr<double>();
    depths.insert(depths.end(), values, values + solid.numel());
  }
  DepthScale scale = {otherwise.near, otherwise.far};
  if (depths.size() >= kEnough) {
    const double near = nerf::Quantile(depths, 0.02);
    const double far = nerf::Quantile(depths, 0.98);
    if (near > 0 && far > 1.001 * near) {
      scale = {near, far};
    }
  }
  return scale;
}

void RenderFrames(const RenderJob& job,
                  const nerf::Trainer& trainer,
                  const std::vector<nerf::Camera>& cameras,
                  const DepthScale& scale) {
  const std::unique_ptr<Progress> progress = job.report->Start(
      "Rendering", static_cast<int64_t>(cameras.size()), "frames");
  for (size_t i = 0; i < cameras.size(); ++i) {
    ThrowIfInterrupted();
    const FrameFiles files = FilesOf(job, i);
    if (!fs::exists(files.colour) || !fs::exists(files.depth)) {
      const nerf::RenderedView view =
          trainer.RenderView(cameras[i], InterruptRequested);
      ThrowIfInterrupted();
      WriteFrame(ToImage(view.rgb), files.colour);
      WriteFrame(DepthImage(view.depth, view.opacity, scale), files.depth);
    }
    progress->Update(static_cast<int64_t>(i) + 1);
  }
}

void Encode(const std::vector<fs::path>& frames,
            const RenderSettings& settings,
            const fs::path& video,
            const fs::path& poster) {
  const ImageSize size = ReadImageSize(frames.front());
  VideoWriter writer(
      video, size.width, size.height, settings.fps, settings.crf);
  for (const fs::path& frame : frames) {
    ThrowIfInterrupted();
    writer.Write(ReadImage(frame));
  }
  writer.Finish();
  fs::copy_file(frames.front(), poster, fs::copy_options::overwrite_existing);
}

}  // namespace

StageResult Render(const RenderJob& job) {
  NERFPIPE_CHECK(job.report != nullptr);
  const nerf::Dataset views = ReadSceneFile(job.trained / kSceneFile).views;
  const std::unique_ptr<nerf::Trainer> trainer = nerf::Trainer::FromCheckpoint(
      job.trained / kCheckpointFile, job.threads, DeviceNamed(job.device));
  const nerf::PathOptions options =
      PathFor(job.settings,
              views.train.front().camera,
              nerf::FindMethod(trainer->options().train.method));
  const std::vector<nerf::Camera> cameras =
      nerf::MakeRenderPath(views, trainer->frame(), options);
  const std::string path = options.path == "auto"
                               ? nerf::DefaultPath(trainer->frame().type)
                               : options.path;
  const std::string size = std::to_string(cameras.front().width) + "x" +
                           std::to_string(cameras.front().height);
  job.report->Info("Path " + path + ", " + std::to_string(cameras.size()) +
                   " frames of " + size + ".");
  RenderFrames(job,
               *trainer,
               cameras,
               MeasureDepths(*trainer, cameras, nerf::DepthsOf(views)));

  std::vector<fs::path> colours, depths;
  for (size_t i = 0; i < cameras.size(); ++i) {
    const FrameFiles files = FilesOf(job, i);
    colours.push_back(files.colour);
    depths.push_back(files.depth);
  }
  RenderSettings named = job.settings;
  named.path = job.name_after_path ? path : job.settings.path;
  const std::vector<std::string> outputs = RenderOutputs(named);
  fs::create_directories((job.out / outputs[0]).parent_path());
  Encode(colours, job.settings, job.out / outputs[0], job.out / outputs[2]);
  Encode(depths, job.settings, job.out / outputs[1], job.out / outputs[3]);
  StageResult result =
      StageResult::Done(path + ", " + std::to_string(cameras.size()) +
                        " frames of " + size + ": " + outputs[0]);
  result.facts["render"] = {{"path", path}, {"frames", cameras.size()}};
  result.facts["results"] = {{"video", outputs[0]},
                             {"depth_video", outputs[1]}};
  return result;
}

}  // namespace nerfpipe
