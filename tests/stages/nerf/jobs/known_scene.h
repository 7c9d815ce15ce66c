#pragma once

// Trained scenes whose pictures are known in advance: fields put in by hand,
// with the cameras that they were "trained" on.

#include "stages/nerf/jobs/scene_file.h"
#include "stages/nerf/jobs/training.h"
#include "stages/nerf/scene_analysis.h"
#include "stages/nerf/trainer.h"
#include "tests/stages/nerf/known_fields.h"
#include "tests/stages/nerf/rigs.h"

#include <array>
#include <filesystem>

namespace nerfpipe {

inline constexpr double kWallDepth = 7;

// Method `nerf`, in NDC: a wall at z = -kWallDepth of one colour (sigmoids of
// the logits) before cameras that stand in the plane z = 0 and look along -z.
inline void WriteWall(const std::filesystem::path& folder,
                      const std::array<double, 3>& logits) {
  using namespace nerf;
  Dataset dataset = Grid();
  for (View& view : dataset.train) {
    view.image =
        torch::zeros({view.camera.height, view.camera.width, 3}, torch::kUInt8);
  }
  SceneOptions scene;
  scene.ndc = true;
  const SceneFrame frame = AnalyseScene(dataset, scene);
  Options options;
  options.train.method = "nerf";
  options.train.steps = 10;
  options.train.threads = 1;
  options.nerf = SmallestNerf();
  options.nerf.N_samples = 256;
  Trainer trainer(dataset, frame, options);
  FillHalf(trainer.method(),
           "coarse",
           {0, 0, 1},
           1 - 2 / (kWallDepth * frame.scale),
           1e7,
           {0, 0, 0});
  const torch::Tensor bias = Parameter(trainer.method(), "coarse.colour.bias");
  for (int c = 0; c < 3; ++c) bias[c] = logits[c];
  std::filesystem::create_directories(folder);
  trainer.Save(folder / kCheckpointFile);
  WriteSceneFile({dataset, 1, 8}, folder / kSceneFile);
}

}  // namespace nerfpipe
