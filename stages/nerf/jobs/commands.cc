#include "stages/nerf/jobs/commands.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/digest.h"
#include "pipeline/base/error.h"
#include "pipeline/base/folders.h"
#include "pipeline/base/json_text.h"
#include "stages/common/dataset_folder.h"
#include "stages/nerf/data/read_dataset.h"
#include "stages/nerf/jobs/devices.h"
#include "stages/nerf/jobs/evaluation.h"
#include "stages/nerf/jobs/rendering.h"
#include "stages/nerf/jobs/scene_file.h"
#include "stages/nerf/jobs/training.h"
#include "stages/nerf/methods.h"
#include "stages/nerf/stage/render_stage.h"
#include "stages/nerf/stage/train_stage.h"

#include <algorithm>
#include <cstdio>
#include <set>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr char kDatasetFile[] = "dataset.json";

const TrainStage& AsTrain(const Stage& stage) {
  const auto* train = dynamic_cast<const TrainStage*>(&stage);
  NERFPIPE_CHECK(train != nullptr);
  return *train;
}

const RenderStage& AsRender(const Stage& stage) {
  const auto* render = dynamic_cast<const RenderStage*>(&stage);
  NERFPIPE_CHECK(render != nullptr);
  return *render;
}

// Unfinished work, emptied when `key` is not what it was begun for.
fs::path ScratchFor(const WorkFolder& work,
                    const std::string& name,
                    const std::string& key) {
  const fs::path folder = work.folder / ".nerfpipe" / name;
  const fs::path key_file = folder / "key";
  if (!fs::exists(key_file) || ReadFile(key_file) != key) {
    RemoveAll(folder);
    fs::create_directories(folder);
    WriteFileAtomically(key_file, key);
  }
  RemoveAll(folder / "out");
  fs::create_directories(folder / "out");
  fs::create_directories(folder / "work");
  return folder;
}

// dataset.json, empty when there is none.
Json ReadRecord(const fs::path& folder) {
  const fs::path file = folder / kDatasetFile;
  if (!fs::exists(file)) {
    return Json::object();
  }
  Json record = Json::parse(ReadFile(file), nullptr, false);
  if (!record.is_object() || !record.contains("dataset") ||
      !record["dataset"].is_string() || !record.contains("trained") ||
      !record["trained"].is_object()) {
    throw UserError(file.string() + " is damaged", "remove it and train again");
  }
  return record;
}

void WriteRecord(const fs::path& folder, const Json& record) {
  WriteFileAtomically(folder / kDatasetFile, JsonForPeople(record, 2) + "\n");
}

// That the method was trained on: the folder itself of a workspace.
fs::path DatasetOf(const fs::path& folder, const std::string& method) {
  const Json record = ReadRecord(folder);
  if (record.empty()) return folder;
  const Json all = record["dataset"];
  const Json trained = record["trained"].value(method, Json::object());
  return FromJsonText(trained.value("dataset", all.get<std::string>()));
}

bool ByClock(const TrainSettings& settings) {
  const nerf::TrainOptions& train = settings.options.train;
  return train.time > 0 && !train.deterministic;
}

void AddFiles(const std::set<fs::path>& files,
              const fs::path& dataset,
              DigestBuilder* key) {
  key->Add(std::to_string(files.size()));
  for (const fs::path& file : files) {
    // Where the data set lies changes nothing.
    key->Add(file.lexically_relative(dataset).string()).Add(DigestOfFile(file));
  }
}

// What the result of a training depends on.
std::string TrainKey(const TrainStage& train, const fs::path& dataset) {
  DigestBuilder key;
  key.Add(std::to_string(train.Version()));
  TrainSettings settings = RunSettings(train.settings());
  // A run by the clock may go on with another time.
  if (ByClock(settings)) settings.options.train.time = 1;
  key.Add(ResultOptionsText(TrainOptionGroups(&settings),
                            settings.options.train.method));
  const nerf::DatasetFiles files =
      nerf::FilesOfDataset(dataset, settings.factor, settings.llffhold);
  AddFiles(files.train, dataset, &key);
  AddFiles(files.test, dataset, &key);
  AddFiles(files.poses, dataset, &key);
  return key.Finish();
}

std::string TrainedFolder(const std::string& method) {
  return "train/" + method;
}

// The methods that were trained here.
std::vector<std::string> TrainedMethods(const fs::path& folder) {
  std::vector<std::string> trained;
  for (const nerf::MethodEntry& entry : nerf::Methods()) {
    if (fs::exists(folder / TrainedFolder(entry.name) / kCheckpointFile)) {
      trained.push_back(entry.name);
    }
  }
  if (trained.empty()) {
    throw UserError(
        "nothing is trained in " + folder.string(),
        "train first: nerfpipe train -d DATASET -w " + folder.string());
  }
  return trained;
}

// The method asked for when it was trained here, else one that was.
std::string TrainedMethod(const fs::path& folder, const std::string& wanted) {
  const std::vector<std::string> trained = TrainedMethods(folder);
  return std::find(trained.begin(), trained.end(), wanted) != trained.end()
             ? wanted
             : trained.front();
}

// What `render` is to choose from.
std::vector<fs::path> ScenesToShow(const fs::path& folder,
                                   const std::string& wanted) {
  std::vector<fs::path> scenes;
  for (const std::string& method : TrainedMethods(folder)) {
    if (wanted == "auto" || wanted == method) {
      scenes.push_back(folder / TrainedFolder(method));
    }
  }
  if (scenes.empty()) {
    throw UserError(
        "no scene of method " + wanted + " is trained in " + folder.string(),
        "leave render.method at auto, or train it first");
  }
  return scenes;
}

// Keeps a finished folder where its owner finds it.
void KeepAside(const WorkFolder& work, const fs::path& folder) {
  const fs::path name = folder.lexically_relative(work.folder);
  fs::path aside;
  int number = 1;
  do {
    aside = work.folder / ".nerfpipe/saved" / std::to_string(number++) / name;
  } while (fs::exists(aside));
  fs::create_directories(aside.parent_path());
  fs::rename(folder, aside);
  work.report->Info(
      name.string() +
      " was of another data set or other options; it is kept as " +
      aside.string());
}

// Puts a finished folder into its place. What was there, and goes on in it, is
// moved into `scratch`; anything else is kept.
void MoveIntoPlace(const WorkFolder& work,
                   const fs::path& from,
                   const fs::path& to,
                   bool goes_on,
                   const fs::path& scratch) {
  fs::create_directories(to.parent_path());
  if (fs::exists(to) && goes_on) {
    RemoveAll(scratch / "old");
    fs::rename(to, scratch / "old");
  } else if (fs::exists(to)) {
    KeepAside(work, to);
  }
  fs::rename(from, to);
}

}  // namespace

StageResult TrainDataset(const Stage& train_stage,
                         const fs::path& dataset,
                         const WorkFolder& work) {
  const TrainStage& train = AsTrain(train_stage);
  nerf::DetectDatasetKind(dataset);  // before anything is written
  const fs::path source = fs::canonical(dataset);
  const TrainSettings run = RunSettings(train.settings());
  const std::string method = run.options.train.method;
  const std::string key = TrainKey(train, source);
  const fs::path place = work.folder / train.OutputFolder();
  Json record = ReadRecord(work.folder);
  const Json before = record.contains("trained")
                          ? record["trained"].value(method, Json())
                          : Json();
  fs::path go_on;
  if (fs::exists(place)) {
    if (!before.is_object()) {
      throw UserError(place.string() +
                          " exists and was not made by nerfpipe "
                          "train",
                      "choose another folder with -w");
    }
    const bool finished = before.value("key", "") == key;
    if (finished && ByClock(run)) {
      go_on = place;
    } else if (finished) {
      // It may have moved.
      record["trained"][method]["dataset"] = ToJsonText(source.string());
      WriteRecord(work.folder, record);
      StageResult result =
          StageResult::Done("already trained: " + before.value("line", ""));
      result.facts = before.value("facts", Json::object());
      return result;
    }
  }

  const fs::path scratch = ScratchFor(work, "train-" + method, key);
  TrainJob job;
  job.dataset = source;
  job.settings = run;
  job.out = scratch / "out";
  job.scratch = scratch / "work";
  job.go_on = go_on;
  job.threads = work.threads;
  job.memory = work.memory;
  job.device = work.device;
  job.report = work.report;
  StageResult result = Train(job);
  if (result.state == StageResult::State::kFailed) {
    return result;
  }
  // The record comes first: a folder without one would be taken for the
  // user's own. Killed in between, the finished checkpoint is still there.
  record["dataset"] = ToJsonText(source.string());
  record["trained"][method] = {{"key", ""}};
  WriteRecord(work.folder, record);
  MoveIntoPlace(work, job.out, place, !go_on.empty(), scratch);
  record["trained"][method] = {{"key", key},
                               {"dataset", ToJsonText(source.string())},
                               {"line", result.line},
                               {"facts", result.facts}};
  WriteRecord(work.folder, record);
  RemoveAll(scratch);
  return result;
}

StageResult EvaluateCheckpoint(const Stage& train_stage,
                               const WorkFolder& work) {
  const std::string method = TrainedMethod(
      work.folder, AsTrain(train_stage).settings().options.train.method);
  const fs::path trained = work.folder / TrainedFolder(method);
  const fs::path dataset =
      work.dataset.empty() ? DatasetOf(work.folder, method) : work.dataset;
  if (!fs::exists(dataset)) {
    throw UserError("the data set is no longer in " + dataset.string(),
                    "say where it is with -d");
  }
  const SceneFile scene = ReadSceneFile(trained / kSceneFile);
  nerf::ReadOptions options;
  options.factor = scene.factor;
  options.llffhold = scene.llffhold;
  options.threads = work.threads;
  const nerf::Dataset data =
      nerf::ReadDataset(dataset, options, *work.report).dataset;
  if (data.test.empty()) {
    throw UserError("no views of " + dataset.string() + " are held out",
                    "train with train.llffhold=8");
  }
  const std::unique_ptr<nerf::Trainer> trainer = OpenTrained(
      trained / kCheckpointFile, work.threads, work.device, *work.report);
  const Scores scores = Evaluate(
      *trainer, data.test, work.folder / "eval" / method, *work.report);
  char line[96];
  std::snprintf(line,
                sizeof(line),
                "%.2f dB PSNR and %.3f SSIM on %zu views",
                scores.psnr,
                scores.ssim,
                scores.views.size());
  StageResult result = StageResult::Done(method + ", " + line);
  Json views = Json::array();
  for (const ViewScore& view : scores.views) {
    views.push_back({{"name", ToJsonText(view.name)},
                     {"psnr", view.psnr},
                     {"ssim", view.ssim},
                     {"ms_ssim", view.ms_ssim},
                     {"corrected_psnr", view.corrected_psnr},
                     {"corrected_ssim", view.corrected_ssim}});
  }
  result.facts["evaluation"] = {{"method", method},
                                {"steps", trainer->step()},
                                {"psnr", scores.psnr},
                                {"ssim", scores.ssim},
                                {"ms_ssim", scores.ms_ssim},
                                {"corrected_psnr", scores.corrected_psnr},
                                {"corrected_ssim", scores.corrected_ssim},
                                {"views", views}};
  return result;
}

StageResult RenderCheckpoint(const Stage& render_stage,
                             const WorkFolder& work) {
  const RenderStage& render = AsRender(render_stage);
  RenderSettings settings = render.settings();
  const std::vector<fs::path> scenes =
      ScenesToShow(work.folder, settings.method);
  DigestBuilder key;
  key.Add(std::to_string(render.Version()));
  for (const fs::path& scene : scenes) {
    key.Add(DigestOfFile(scene / kCheckpointFile))
        .Add(DigestOfFile(scene / kSceneFile));
  }
  key.Add(ResultOptionsText({RenderOptionGroup(&settings)}, ""));
  const fs::path scratch =
      ScratchFor(work, "render-" + settings.path, key.Finish());
  RenderJob job;
  job.trained = scenes;
  job.settings = settings;
  job.out = scratch / "out";
  job.name_after_path = true;
  job.scratch = scratch / "work";
  job.threads = work.threads;
  job.device = work.device;
  job.report = work.report;
  const StageResult result = Render(job);
  fs::create_directories(work.folder / "renders");
  for (const std::string& name : SortedFileNames(job.out / "renders")) {
    fs::rename(job.out / "renders" / name, work.folder / "renders" / name);
  }
  RemoveAll(scratch);
  return result;
}

}  // namespace nerfpipe
