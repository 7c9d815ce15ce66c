#pragma once

// Names and listings of a data set on disk: images/ with images_N/ beside it,
// masks/ with masks_N/, sparse/0, poses_bounds.npy, transforms.json.

#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe {

inline constexpr char kImagesFolder[] = "images";
inline constexpr char kMasksFolder[] = "masks";
inline constexpr char kSparseFolder[] = "sparse/0";
// Of a workspace: whether the cameras can be trusted, and why not.
inline constexpr char kVerdictFile[] = "colmap/verdict.json";
inline constexpr char kPosesBoundsFile[] = "poses_bounds.npy";
inline constexpr char kTransformsFile[] = "transforms.json";

// "images" for factor 1, else "images_FACTOR".
std::string ImagesFolderName(int factor);
// "masks" for factor 1, else "masks_FACTOR".
std::string MasksFolderName(int factor);

// The mask of an image: its name with the suffix .png.
std::string MaskName(const std::string& image_name);

// Names of the regular files directly in `folder`, hidden ones left out,
// sorted by their bytes (the order of Python's sorted()). Throws UserError when
// the folder cannot be read.
std::vector<std::string> SortedFileNames(const std::filesystem::path& folder);

}  // namespace nerfpipe
