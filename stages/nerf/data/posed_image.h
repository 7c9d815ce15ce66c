#pragma once

// What the readers of the layouts hand over: where each image is and how its
// camera stands. Internal to stages/nerf/data.

#include "pipeline/base/report.h"
#include "stages/common/camera.h"
#include "stages/common/colmap_model.h"
#include "stages/nerf/data/read_dataset.h"

#include <filesystem>
#include <vector>

namespace nerfpipe::nerf {

struct PosedImage {
  std::string name;
  std::filesystem::path file;
  int shrink = 1;  // averaged over areas of this size after reading
  // Of this image or of a larger copy; empty: none.
  std::filesystem::path mask;
  // For an image of camera.width x camera.height; scaled to what was read.
  Camera camera;
  double near = 0;
  double far = 0;
  std::vector<int64_t> seen;  // see View
};

struct PosedImages {
  std::vector<PosedImage> train;
  std::vector<PosedImage> test;
  torch::Tensor points;
  torch::Tensor sights;
  bool has_box = false;
  std::array<double, 6> box = {};
  bool keep_alpha = true;
};

// One per layout. `factor` is at least 1.
PosedImages ReadLlff(const std::filesystem::path& folder,
                     int factor,
                     int llffhold,
                     Report& report);
PosedImages ReadColmap(const std::filesystem::path& folder,
                       int factor,
                       int llffhold,
                       Report& report);
PosedImages ReadSynthetic(const std::filesystem::path& folder, int factor);
PosedImages ReadTransforms(const std::filesystem::path& json_file,
                           int factor,
                           int llffhold,
                           Report& report);

// Folder of the model of a COLMAP data set: sparse/0, sparse or empty.
std::filesystem::path FindSparseModel(const std::filesystem::path& folder);
// The model's points that at least three images see within 2 px, or all of
// them when those are few; double, N x 3.
torch::Tensor PointsOf(const ColmapModel& model);
// Which of the steady points the `views` of the same model see, as in Dataset.
// Names are compared without their extension.
torch::Tensor SightsOf(const ColmapModel& model,
                       const std::vector<PosedImage>& views);

// Sets PosedImage::seen to the numbers of PointsOf()'s points.
void SetSeen(const ColmapModel& model, std::vector<PosedImage>* views);

// Camera from a pose with OpenGL axes and a pinhole.
Camera MakeCamera(const Rigid3& world_from_camera, const Pinhole& pinhole);

// Sorts by name and holds out every `llffhold`-th.
void SplitEvery(std::vector<PosedImage> all, int llffhold, PosedImages* split);

// Points each image at its copy in images_N/ when all of them have one (the
// first folder named images in the path, relative to `root`, gets the suffix);
// else sets `shrink`.
void UseFactor(const std::filesystem::path& root,
               int factor,
               std::vector<PosedImage>* images);

// Points each image in `root`/images or images_N at its mask beside it, in
// masks_N or masks, if there is one, which is told.
void UseMasks(const std::filesystem::path& root,
              int factor,
              std::vector<PosedImage>* images,
              Report& report);

// Reads the images of `posed` into views, with their masks. Transparent pixels
// say that there is nothing, and a mask takes nothing from that.
std::vector<View> LoadViews(const std::vector<PosedImage>& posed,
                            bool keep_alpha,
                            int threads,
                            Progress* progress,
                            int64_t done_before);

}  // namespace nerfpipe::nerf
