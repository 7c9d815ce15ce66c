// LLFF folders by the rules of nerf-pytorch's load_llff.py.

#include "pipeline/base/error.h"
#include "stages/common/axes.h"
#include "stages/common/dataset_folder.h"
#include "stages/common/npy.h"
#include "stages/media/image_file.h"
#include "stages/nerf/data/posed_image.h"

#include <cmath>

namespace nerfpipe::nerf {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kRowLength = 17;  // 3 x 5 numbers, near, far

std::vector<fs::path> ImagesIn(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const std::string& name : SortedFileNames(folder)) {
    if (HasImageSuffix(name)) {
      files.push_back(folder / name);
    }
  }
  return files;
}

// images_N, or images to be shrunk.
std::vector<fs::path> FindImages(const fs::path& folder,
                                 int factor,
                                 int64_t rows,
                                 int* shrink) {
  fs::path chosen = folder / ImagesFolderName(factor);
  *shrink = 1;
  if (!fs::is_directory(chosen)) {
    if (!fs::is_directory(folder / kImagesFolder)) {
      throw UserError("neither " + chosen.string() + " nor a folder " +
                          kImagesFolder + " is there",
                      "choose train.factor to match an images_N folder");
    }
    chosen = folder / kImagesFolder;
    *shrink = factor;
  }
  std::vector<fs::path> files = ImagesIn(chosen);
  if (static_cast<int64_t>(files.size()) != rows) {
    throw UserError(chosen.string() + " holds " + std::to_string(files.size()) +
                        " images, but " + kPosesBoundsFile + " has " +
                        std::to_string(rows) + " rows",
                    "remove the images without a pose, or make " +
                        std::string(kPosesBoundsFile) + " again");
  }
  return files;
}

PosedImage FromRow(const double* row, const std::string& where) {
  Rigid3 pose;
  for (int i = 0; i < 3; ++i) {
    for (int k = 0; k < 3; ++k) {
      pose.rotation(i, k) = row[5 * i + k];
    }
    pose.translation(i) = row[5 * i + 3];
  }
  const double height = row[4];
  const double width = row[9];
  const double focal = row[14];
  const Eigen::Matrix3d error =
      pose.rotation * pose.rotation.transpose() - Eigen::Matrix3d::Identity();
  const bool sound =
      pose.translation.allFinite() && pose.rotation.allFinite() &&
      error.cwiseAbs().maxCoeff() < 1e-2 && height >= 1 && width >= 1 &&
      height < 1e6 && width < 1e6 && focal > 0 && std::isfinite(focal);
  if (!sound) {
    throw UserError(where +
                        " is not a pose with height, width and focal "
                        "length",
                    "make the file again");
  }
  PosedImage image;
  image.camera = MakeCamera(OpenGlFromLlffAxes(pose),
                            {static_cast<int>(std::lround(width)),
                             static_cast<int>(std::lround(height)),
                             focal,
                             focal,
                             width / 2,
                             height / 2});
  if (row[15] > 0 && row[16] > row[15] && std::isfinite(row[16])) {
    image.near = row[15];
    image.far = row[16];
  }
  return image;
}

}  // namespace

PosedImages ReadLlff(const fs::path& folder,
                     int factor,
                     int llffhold,
                     Report& report) {
  const fs::path file = folder / kPosesBoundsFile;
  const NpyArray array = ReadNpy(file);
  if (array.shape.size() != 2 || array.shape[1] != kRowLength ||
      array.shape[0] < 1) {
    throw UserError(file.string() + " is not a table of 17 columns",
                    "make it again with LLFF's imgs2poses or nerfpipe");
  }
  const int64_t rows = array.shape[0];
  int shrink = 1;
  const std::vector<fs::path> files = FindImages(folder, factor, rows, &shrink);
  std::vector<PosedImage> all;
  for (int64_t i = 0; i < rows; ++i) {
    all.push_back(
        FromRow(array.values.data() + i * kRowLength,
                "row " + std::to_string(i + 1) + " of " + file.string()));
    all.back().name = files[i].filename().string();
    all.back().file = files[i];
    all.back().shrink = shrink;
  }
  UseMasks(folder, factor, &all, report);
  PosedImages result;
  // The loader takes [..., :3]; in a workspace, which has a folder of masks,
  // alpha is meant.
  result.keep_alpha = fs::is_directory(folder / kMasksFolder);
  SplitEvery(std::move(all), llffhold, &result);
  // LLFF keeps COLMAP's world, so the points of the model beside it fit.
  const fs::path model = FindSparseModel(folder);
  if (!model.empty()) {
    try {
      const ColmapModel sparse = ReadColmapModel(model);
      result.points = PointsOf(sparse);
      result.sights = SightsOf(sparse, result.train);
      SetSeen(sparse, &result.train);
    } catch (const MachineError&) {
      throw;
    } catch (const UserError& error) {
      report.Warn("The sparse points are not used: " + error.problem() + ".");
    }
  }
  return result;
}

}  // namespace nerfpipe::nerf
