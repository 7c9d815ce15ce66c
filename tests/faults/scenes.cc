#include "tests/faults/scenes.h"

#include "data/demo/demo_scene.h"
#include "pipeline/base/digest.h"
#include "stages/media/image_file.h"
#include "tests/run_program.h"
#include "tests/scenes/small_captures.h"

#include <cstdio>
#include <stdexcept>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::string>;

Words With(Words command, const Words& more) {
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

const Words kOneThread = {"--threads", "1"};
const Words kPhotos = {
    "run", "photos", "-w", "work", "--until", "check", "--threads", "2"};
const Words kClip = {"run",
                     "clip.mp4",
                     "-w",
                     "work",
                     "--threads",
                     "1",
                     "--set",
                     "extract.target=12"};
const Words kOrbit = {"run", "orbit", "-w", "work", "--threads", "1"};
const Words kTrain = {"train",
                      "-d",
                      "set",
                      "-w",
                      "work",
                      "--threads",
                      "1",
                      "--set",
                      "train.factor=2",
                      "--set",
                      "train.checkpoint_every=10"};

void Run(const fs::path& folder, const Words& command) {
  const ProgramRun run = RunProgram(folder, command);
  if (run.exit_code != 0) throw std::runtime_error(run.err);
}

// A third of an orbit: few photos, near enough to match.
void WriteOrbit(const fs::path& folder) {
  const std::unique_ptr<demo::DemoScene> scene = demo::MakeTestScene();
  const auto cameras = demo::TestOrbit(36, 320, 180);
  fs::create_directories(folder);
  for (size_t i = 0; i < 13; ++i) {
    char name[32];
    std::snprintf(name, sizeof(name), "%02zu.jpg", i + 1);
    WriteImage(RenderView(*scene, cameras[i]).image, folder / name);
  }
}

std::unique_ptr<Scene> MakeAgain(const fs::path& folder) {
  Run(folder, With(kClip, {"--until", "check"}));
  // The user took another picture instead of one.
  fs::copy_file(folder / "work/frames/00005.jpg",
                folder / "work/frames/00003.jpg",
                fs::copy_options::overwrite_existing);
  auto scene = std::make_unique<Scene>("again",
                                       folder,
                                       "clip.mp4",
                                       With(kClip,
                                            {"--until",
                                             "check",
                                             "--set",
                                             "extract.jpeg_quality=80",
                                             "--set",
                                             "check.blur=0.1"}));
  scene->Keep(DigestOfFile(folder / "before/frames/00005.jpg"));
  return scene;
}

Words Training(const std::string& method) {
  return With(kTrain,
              method == "splat"
                  ? Words{"--method", "splat", "--set", "splat.steps=20"}
                  : Words{"--set",
                          "train.steps=20",
                          "--set",
                          "ngp.batch_samples=1024",
                          "--set",
                          "ngp.log2_table=12"});
}

}  // namespace

std::vector<std::string> SceneNames() {
  return {
      "photos", "clip", "again", "llff", "train", "splat", "render", "colmap"};
}

std::unique_ptr<Scene> MakeScene(const std::string& name,
                                 const fs::path& folder) {
  const auto scene = [&](const std::string& capture, const Words& command) {
    return std::make_unique<Scene>(name, folder, capture, command);
  };
  if (name == "photos") {
    WritePhotos(folder / "photos", 10);
    return scene("photos", kPhotos);
  }
  if (name == "clip" || name == "again") {
    WriteClip(folder / "clip.mp4", 36);
    return name == "again"
               ? MakeAgain(folder)
               : scene("clip.mp4", With(kClip, {"--until", "check"}));
  }
  if (name == "llff" || name == "colmap") {
    WriteOrbit(folder / "orbit");
    Run(folder, With(kOrbit, {"--until", name == "llff" ? "colmap" : "check"}));
    return scene(
        "orbit",
        With(kOrbit, {"--until", name == "llff" ? "downsample" : "colmap"}));
  }
  WriteSmallDataset(folder / "set", 10);
  if (name == "render") {
    Run(folder, Training("ngp"));
    return scene(
        "set",
        With({"render", "-w", "work", "--path", "orbit"},
             With(kOneThread, {"--frames", "3", "--set", "render.scale=1"})));
  }
  return scene("set", Training(name));
}

}  // namespace nerfpipe
