#include "stages/llff/nerf_pytorch_config.h"

#include <cmath>
#include <vector>

namespace nerfpipe {

bool IsForwardFacing(const ColmapModel& model) {
  std::vector<Eigen::Vector3d> directions;
  Eigen::Vector3d sum = Eigen::Vector3d::Zero();
  for (const auto& [id, image] : model.images) {
    // The third row of camera_from_world is the optical axis in the world.
    directions.push_back(image.camera_from_world.rotation.row(2).transpose());
    sum += directions.back();
  }
  if (sum.norm() < 1e-9) return false;
  const double min_cosine = std::sqrt(3.0) / 2;
  size_t aligned = 0;
  for (const Eigen::Vector3d& direction : directions) {
    if (direction.dot(sum.normalized()) >= min_cosine) ++aligned;
  }
  return 10 * aligned >= 9 * directions.size();
}

std::string NerfPytorchConfig(const std::string& scene, bool forward_facing) {
  std::string text =
      "# For nerf-pytorch: python run_nerf.py --config THIS_FILE\n"
      "# Point datadir at this folder, wherever it lies.\n"
      "expname = " +
      scene +
      "\n"
      "basedir = ./logs\n"
      "datadir = ./data/nerf_llff_data/" +
      scene +
      "\n"
      "dataset_type = llff\n"
      "\n"
      "factor = 8\n"
      "llffhold = 8\n"
      "\n"
      "N_rand = 1024\n"
      "N_samples = 64\n"
      "N_importance = 64\n"
      "\n"
      "use_viewdirs = True\n"
      "raw_noise_std = 1e0\n"
      "\n";
  if (forward_facing) {
    return text +
           "# Forward-facing scene: rays in normalised device "
           "coordinates, the default.\n";
  }
  return text +
         "# The cameras do not all look the same way: no normalised "
         "device coordinates.\n"
         "no_ndc = True\n"
         "spherify = True\n"
         "lindisp = True\n";
}

}  // namespace nerfpipe
