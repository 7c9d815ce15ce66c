#pragma once

// Reads a data set from disk, whatever its layout: images into memory, cameras
// with OpenGL axes, bounds and sparse points where the layout has them, split
// into training and held-out views. Never writes into the user's folder.

#include "pipeline/base/report.h"
#include "stages/nerf/scene.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>

namespace nerfpipe::nerf {

enum class DatasetKind {
  kLlff,        // poses_bounds.npy, images[_N]/, perhaps sparse/0
  kSynthetic,   // transforms_train.json (nerf_synthetic, Blender)
  kColmap,      // images/, sparse/0 (or sparse/)
  kTransforms,  // one transforms.json (instant-ngp, nerfstudio)
};

// "LLFF", "nerf_synthetic", "COLMAP", "transforms.json".
std::string NameOf(DatasetKind kind);

// `path` is a folder, or a .json file of the last kind. Throws UserError that
// lists what was looked for.
DatasetKind DetectDatasetKind(const std::filesystem::path& path);

struct ReadOptions {
  // Images are used at 1/factor of their size: from images_N/ when it is
  // there, else averaged over areas in memory. 0: 1 for nerf_synthetic, else as
  // choose_factor says by the size of the first image, or 4 without it.
  int factor = 0;
  // Every llffhold-th image in the order of the names is held out, starting
  // with the first; 0: none. nerf_synthetic has its own test split.
  int llffhold = 8;
  int threads = 1;
  // Bytes that training may take (0: as it needs), and those that it takes on
  // images of so many, all together; null: those of the images alone.
  int64_t memory = 0;
  std::function<int64_t(int64_t image_bytes)> peak_bytes = nullptr;
  std::function<int(int width, int height)> choose_factor = nullptr;
};

struct ReadResult {
  Dataset dataset;
  DatasetKind kind = DatasetKind::kLlff;
  int factor = 1;           // as used
  int64_t image_bytes = 0;  // of all image tensors
};

// The files that ReadDataset() may make views from: images with their masks,
// those held out apart, and what poses them. With factor 0 those of each factor
// that may be chosen. Throws as ReadDataset() does.
struct DatasetFiles {
  std::set<std::filesystem::path> train;
  std::set<std::filesystem::path> test;
  std::set<std::filesystem::path> poses;
};
DatasetFiles FilesOfDataset(const std::filesystem::path& path,
                            int factor,
                            int llffhold);

// Views are sorted by name. Things left out (missing images) are told to
// `report`, and so is the memory that the images will take, before they are
// read. Throws UserError naming the file for anything damaged, missing or not
// a pinhole camera, and when training would take more memory than it may.
ReadResult ReadDataset(const std::filesystem::path& path,
                       const ReadOptions& options,
                       Report& report);

}  // namespace nerfpipe::nerf
