#include "pipeline/base/error.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/run_estimate.h"
#include "stages/capture/capture_size.h"
#include "stages/capture/frame_list.h"
#include "stages/media/image_file.h"
#include "stages/nerf/stage/render_stage.h"
#include "stages/nerf/stage/training_stage.h"

#include <algorithm>
#include <optional>
#include <string>
#include <system_error>

#include <nlohmann/json.hpp>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

// Nobody plans for less.
constexpr double kWorthALine = 60;  // seconds

bool IsDone(const std::vector<StageStatus>& statuses, const std::string& name) {
  return std::any_of(
      statuses.begin(), statuses.end(), [&](const StageStatus& status) {
        return status.name == name && status.state == StageStatus::State::kDone;
      });
}

int64_t OptionValue(const Config& config, const std::string& name) {
  for (const Config::Entry& entry : config.Entries()) {
    if (entry.name == name) return std::stoll(entry.value);
  }
  throw CheckFailed("there is no option " + name);
}

std::optional<RunSize> SizeOfFrames(const Workspace& workspace) {
  const FrameList list = ReadFrameList(workspace.root() / kFrameListFile);
  if (list.frames.empty()) return std::nullopt;
  const auto frames = static_cast<int64_t>(list.frames.size());
  const ImageSize size =
      ReadImageSize(workspace.root() / kFrameFolder / list.frames.front().name);
  return RunSize{list.video,
                 list.video ? list.clip_frames : frames,
                 frames,
                 size.width,
                 size.height};
}

std::optional<RunSize> SizeOfCapture(const Workspace& workspace,
                                     const Config& config) {
  const std::optional<CaptureSize> capture =
      MeasureCapture(workspace.capture());
  if (!capture) return std::nullopt;
  int64_t frames = capture->count;
  if (capture->video) {
    const int64_t every = OptionValue(config, "extract.every");
    frames = every > 0
                 ? (frames + every - 1) / every
                 : std::min(frames, OptionValue(config, "extract.target"));
  }
  return RunSize{
      capture->video, capture->count, frames, capture->width, capture->height};
}

// From the workspace as far as it has come. Nothing where stages will find
// something wrong.
std::optional<RunSize> SizeOfRun(const Workspace& workspace,
                                 const Config& config,
                                 const std::vector<StageStatus>& statuses) {
  try {
    if (!IsDone(statuses, "extract")) return SizeOfCapture(workspace, config);
    std::optional<RunSize> size = SizeOfFrames(workspace);
    Manifest record;
    if (size && IsDone(statuses, "check") &&
        ReadManifest(workspace.ManifestPath("check"), &record) ==
            ManifestState::kPresent) {
      const nlohmann::ordered_json::json_pointer kept("/frames/kept");
      size->frames = record.facts.value(kept, size->frames);
    }
    return size;
  } catch (const UserError&) {
    return std::nullopt;
  }
}

RunWork WorkOfRun(const std::vector<Stage*>& stages,
                  const std::vector<StageStatus>& statuses,
                  const std::string& until) {
  RunWork work;
  for (size_t i = 0; i < stages.size(); ++i) {
    const std::string name = stages[i]->Name();
    const bool wanted = stages[i]->Enabled() || name == until;
    if (wanted && !IsDone(statuses, name)) work.stages.insert(name);
    if (const auto* training = dynamic_cast<TrainingStage*>(stages[i])) {
      work.training_seconds[name] = training->BudgetSeconds();
      // That of the gaussians, if they are trained: the sharper one, mostly.
      if (stages[i]->Enabled()) {
        work.shown = training->RunSettings().options.train.method;
      }
    }
    if (const auto* render = dynamic_cast<RenderStage*>(stages[i])) {
      const RenderSettings& settings = render->settings();
      if (settings.method != "auto") work.shown = settings.method;
      work.video_frames = settings.frames;
      work.video_width = settings.width;
      work.video_height = settings.height;
    }
    if (name == until) break;
  }
  return work;
}

}  // namespace

void TellEstimate(Session& session,
                  const Workspace& workspace,
                  Runner& runner,
                  const std::string& until) {
  runner.FinishCommits();
  const std::vector<StageStatus> statuses = runner.Status();
  const RunWork work = WorkOfRun(session.stages(), statuses, until);
  if (work.stages.empty()) return;
  const std::optional<RunSize> size =
      SizeOfRun(workspace, session.config(), statuses);
  std::error_code error;
  const fs::space_info space = fs::space(workspace.root(), error);
  if (!size || error) return;
  const auto free_bytes = static_cast<int64_t>(space.available);
  const RunEstimate estimate = EstimateRun(*size, work);
  CheckRoom(estimate, free_bytes, workspace.root(), session.console());
  if (estimate.seconds >= kWorthALine) {
    session.console().Info(EstimateText(estimate, free_bytes));
  }
}

}  // namespace nerfpipe
