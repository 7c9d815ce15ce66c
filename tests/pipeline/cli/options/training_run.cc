#include "tests/pipeline/cli/options/training_run.h"

#include "pipeline/base/atomic_file.h"
#include "stages/common/colmap_model.h"
#include "stages/media/image_file.h"
#include "stages/nerf/checkpoint.h"
#include "stages/nerf/jobs/linked_trainer.h"
#include "stages/nerf/stage/splat_stage.h"
#include "stages/nerf/stage/train_stage.h"
#include "tests/scenes/irregular_scene.h"
#include "tests/scenes/small_captures.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <sstream>

#include <ATen/record_function.h>
#include <torch/serialize/archive.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

constexpr size_t kViews = 7;

Image PictureOf(const SceneCamera& camera, bool objects_alone) {
  Image image(camera.width, camera.height, 4);
  image.pixels = ScenePicture(camera, objects_alone);
  return image;
}

// nerf_synthetic knows one focal length and the middle.
void WriteBox(const fs::path& folder) {
  fs::create_directories(folder);
  nlohmann::json frames = nlohmann::json::array();
  SceneCamera lens;
  for (size_t i = 0; i < kViews; ++i) {
    lens = OneLensCameras()[i];
    lens.fy = lens.fx;
    lens.cx = lens.width / 2.0;
    lens.cy = lens.height / 2.0;
    const std::string name = "r_" + std::to_string(i);
    WriteImage(PictureOf(lens, true), folder / (name + ".png"));
    nlohmann::json matrix = nlohmann::json::array();
    for (size_t row = 0; row < 3; ++row) {
      const double* m = lens.world_from_camera.data() + 4 * row;
      matrix.push_back({m[0], -m[1], -m[2], m[3]});
    }
    matrix.push_back({0, 0, 0, 1});
    frames.push_back({{"file_path", name}, {"transform_matrix", matrix}});
  }
  const nlohmann::json root = {
      {"camera_angle_x", 2 * std::atan(0.5 * lens.width / lens.fx)},
      {"frames", frames}};
  WriteFileAtomically(folder / "transforms_train.json", root.dump());
}

void WritePoints(const fs::path& folder) {
  fs::create_directories(folder / "images");
  fs::create_directories(folder / "sparse/0");
  const std::vector<SceneVector> points = ScenePoints();
  ColmapModel model;
  const SceneCamera lens = OneLensCameras()[0];
  model.cameras[3] = {
      1, lens.width, lens.height, {lens.fx, lens.fy, lens.cx, lens.cy}};
  for (size_t p = 0; p < points.size(); ++p) {
    model.points[p].xyz = {points[p][0], points[p][1], points[p][2]};
    model.points[p].error = 0.5;
  }
  for (uint32_t i = 0; i < kViews; ++i) {
    const SceneCamera camera = OneLensCameras()[i];
    Rigid3 pose;
    for (int row = 0; row < 3; ++row) {
      for (int column = 0; column < 3; ++column) {
        pose.rotation(row, column) =
            camera.world_from_camera[static_cast<size_t>(4 * row + column)];
      }
      pose.translation(row) =
          camera.world_from_camera[static_cast<size_t>(4 * row + 3)];
    }
    ColmapImage& image = model.images[i + 1];
    image.name = SceneImageName(static_cast<int>(i));
    image.camera_id = 3;
    image.camera_from_world = pose.Inverse();
    for (size_t p = 0; p < points.size(); ++p) {
      const SceneVector seen = camera.Project(points[p]);
      if (seen[2] <= 0) continue;
      model.points[p].track.push_back(
          {i + 1, static_cast<uint32_t>(image.observations.size())});
      image.observations.push_back(
          {{seen[0], seen[1]}, static_cast<int64_t>(p)});
    }
    Image picture(camera.width, camera.height, 3);
    const Image rgba = PictureOf(camera, false);
    for (size_t k = 0; k < rgba.pixels.size() / 4; ++k) {
      std::copy_n(&rgba.pixels[4 * k], 3, &picture.pixels[3 * k]);
    }
    WriteImage(picture, folder / "images" / image.name);
  }
  WriteColmapModel(model, folder / "sparse/0");
}

// Made once for all runs of a process.
fs::path FolderOf(TestSet set) {
  static const TemporaryFolder root;
  const fs::path folder = root / std::to_string(static_cast<int>(set));
  if (!fs::exists(folder)) {
    switch (set) {
      case TestSet::kUnbounded:
        WriteSmallDataset(folder, kViews);
        break;
      case TestSet::kPoints:
        WritePoints(folder);
        break;
      case TestSet::kBox:
        WriteBox(folder);
        break;
    }
  }
  return folder;
}

// Looks for a checkpoint after every step.
class Watcher : public Report {
 public:
  explicit Watcher(fs::path checkpoint) : checkpoint_(std::move(checkpoint)) {}

  void Info(std::string_view) override {}
  void Warn(std::string_view) override {}
  void Detail(std::string_view) override {}
  void Show(const Table&) override {}
  std::unique_ptr<Progress> Start(std::string_view,
                                  int64_t,
                                  std::string_view) override {
    return std::make_unique<Steps>(this);
  }

  int64_t first = 0;

 private:
  struct Steps : Progress {
    explicit Steps(Watcher* watcher_in) : watcher(watcher_in) {}
    void Update(int64_t done, std::string_view) override {
      if (watcher->first == 0 && fs::exists(watcher->checkpoint_)) {
        watcher->first = done;
      }
    }
    Watcher* watcher;
  };

  fs::path checkpoint_;
};

std::atomic<int64_t> operations = 0;

std::unique_ptr<at::ObserverContext> CountOperation(const at::RecordFunction&) {
  ++operations;
  return nullptr;
}

void ReadState(const fs::path& checkpoint, TrainingRun* run) {
  torch::serialize::InputArchive archive;
  nerf::ReadCheckpoint(archive, checkpoint, torch::kCPU);
  for (const std::string& name : archive.keys()) {
    torch::Tensor tensor;
    if (archive.try_read(name, tensor, /*is_buffer=*/true)) {
      run->state[name] = tensor;
    }
  }
}

TrainingRun Train(TestSet set, const std::vector<Setting>& settings) {
  const TemporaryFolder folder;
  const std::unique_ptr<TrainStage> train =
      MakeTrainStage(LinkedTrainerLibrary);
  const std::unique_ptr<SplatStage> splat =
      MakeSplatStage(LinkedTrainerLibrary, train.get());
  bool with_splat = false;
  for (const Setting& setting : settings) {
    const bool of_splat = setting.first.rfind("splat.", 0) == 0;
    with_splat = with_splat || of_splat;
    Set(of_splat ? static_cast<Stage&>(*splat) : *train, setting);
  }
  TrainingStage* const stage =
      with_splat ? static_cast<TrainingStage*>(splat.get()) : train.get();
  StageContext context;
  context.workspace = FolderOf(set);
  context.out = folder / "out";
  context.scratch = folder / "scratch";
  context.device = "cpu";
  fs::create_directories(context.out);
  fs::create_directories(context.scratch);
  Watcher watcher(context.scratch / "checkpoint.pt");
  context.report = &watcher;
  const StageResult result = stage->Run(context);
  if (result.state != StageResult::State::kDone) {
    throw std::runtime_error(result.line);
  }
  TrainingRun run;
  run.folder = stage->OutputFolder();
  run.enabled = stage->Enabled();
  run.inputs = stage->Inputs();
  run.facts = result.facts.at("training").front();
  run.first_checkpoint = watcher.first;
  const fs::path out = context.out / run.folder;
  run.scene = nlohmann::json::parse(ReadFile(out / "scene.json"));
  std::istringstream lines(ReadFile(out / "metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    nlohmann::json json = nlohmann::json::parse(line);
    if (json.contains("loss")) run.lines.push_back(std::move(json));
  }
  ReadState(out / "checkpoint.pt", &run);
  run.trainer = nerf::Trainer::FromCheckpoint(out / "checkpoint.pt", 1);
  return run;
}

}  // namespace

int64_t TrainingRun::Count(const std::string& what, size_t report) const {
  const double before =
      report == 0 ? 0 : lines.at(report - 1).at("seconds").get<double>();
  const double seconds = lines.at(report).at("seconds").get<double>() - before;
  return std::llround(lines.at(report).at(what + "_per_second").get<double>() *
                      seconds);
}

RenderedAgain TrainingRun::Render() const {
  nerf::Camera camera;
  const nlohmann::json& view = scene.at("train").at(1);
  camera.width = view.at("width");
  camera.height = view.at("height");
  camera.fx = view.at("fx");
  camera.fy = view.at("fy");
  camera.cx = view.at("cx");
  camera.cy = view.at("cy");
  view.at("world_from_camera").get_to(camera.world_from_camera);
  operations = 0;
  const auto counter =
      at::addGlobalCallback(at::RecordFunctionCallback(&CountOperation));
  const torch::Tensor rgb = trainer->RenderView(camera).rgb;
  at::removeCallback(counter);
  return {rgb, operations};
}

bool Equal(const TrainingRun& a,
           const TrainingRun& b,
           const std::vector<std::string>& words) {
  int compared = 0;
  for (const auto& [name, tensor] : a.state) {
    const bool meant = std::any_of(
        words.begin(), words.end(), [&name = name](const std::string& word) {
          return name.starts_with(word);
        });
    if (!meant) continue;
    ++compared;
    const auto other = b.state.find(name);
    if (other == b.state.end() || !torch::equal(tensor, other->second)) {
      return false;
    }
  }
  return compared > 0;
}

const TrainingRun& TrainWith(TestSet set,
                             const std::vector<Setting>& settings) {
  static std::map<std::pair<TestSet, std::vector<Setting>>, TrainingRun> runs;
  const auto key = std::make_pair(set, settings);
  auto found = runs.find(key);
  if (found == runs.end()) {
    found = runs.emplace(key, Train(set, settings)).first;
  }
  return found->second;
}

}  // namespace nerfpipe
