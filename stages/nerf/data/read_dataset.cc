#include "stages/nerf/data/read_dataset.h"

#include "pipeline/base/error.h"
#include "pipeline/base/text.h"
#include "stages/common/area_average.h"
#include "stages/common/dataset_folder.h"
#include "stages/media/image_file.h"
#include "stages/nerf/data/posed_image.h"

#include <algorithm>
#include <array>

namespace nerfpipe::nerf {
namespace {

namespace fs = std::filesystem;

constexpr int kDefaultFactor = 4;

PosedImages ReadCameras(const fs::path& path,
                        DatasetKind kind,
                        int factor,
                        int llffhold,
                        Report& report) {
  switch (kind) {
    case DatasetKind::kLlff:
      return ReadLlff(path, factor, llffhold, report);
    case DatasetKind::kSynthetic:
      return ReadSynthetic(path, factor);
    case DatasetKind::kColmap:
      return ReadColmap(path, factor, llffhold, report);
    case DatasetKind::kTransforms:
      return ReadTransforms(
          fs::is_directory(path) ? path / kTransformsFile : path,
          factor,
          llffhold,
          report);
  }
  NERFPIPE_CHECK(false);
}

// Where the options leave it open.
int OpenFactor(const fs::path& path,
               DatasetKind kind,
               const ReadOptions& options) {
  if (kind == DatasetKind::kSynthetic) return 1;
  if (!options.choose_factor) return kDefaultFactor;
  PosedImages whole;
  try {
    whole = ReadCameras(path, kind, 1, options.llffhold, SilentReport());
  } catch (const MachineError&) {
    throw;
  } catch (const UserError&) {
    return kDefaultFactor;  // the images of full size may be elsewhere
  }
  if (whole.train.empty()) return kDefaultFactor;
  const ImageSize size = ReadImageSize(whole.train.front().file);
  return options.choose_factor(size.width, size.height);
}

// From the heads of the files. One that does not say (HEIC) is taken to be as
// large as the one before.
int64_t EstimateBytes(const PosedImages& images) {
  int64_t bytes = 0;
  ImageSize size;
  for (const auto* part : {&images.train, &images.test}) {
    for (const PosedImage& image : *part) {
      const ImageHeader head = ReadImageHeader(image.file);
      if (head.width > 0 || size.width == 0) size = ReadImageSize(image.file);
      const bool alpha = images.keep_alpha && head.channels == 4 &&
                         head.format != ImageHeader::Format::kJpeg;
      bytes += int64_t{ReducedSide(size.width, image.shrink)} *
               ReducedSide(size.height, image.shrink) *
               ((alpha ? 4 : 3) + (image.mask.empty() ? 0 : 1));
    }
  }
  return bytes;
}

void AddFiles(const std::vector<PosedImage>& images,
              std::set<fs::path>* files) {
  for (const PosedImage& image : images) {
    files->insert(image.file);
    if (!image.mask.empty()) files->insert(image.mask);
  }
}

int64_t BytesOf(const std::vector<View>& views) {
  int64_t bytes = 0;
  for (const View& view : views) {
    bytes += view.image.numel();
    if (view.mask.defined()) bytes += view.mask.numel();
  }
  return bytes;
}

// The mean colour of the views: what is best shown where none of them looked.
std::array<double, 3> MeanColour(const std::vector<View>& views) {
  torch::Tensor sum = torch::zeros({3}, torch::kDouble);
  for (const View& view : views) {
    torch::Tensor colours =
        view.image.slice(2, 0, 3).to(torch::kFloat32).flatten(0, 1);
    if (view.mask.defined())
      colours = colours.index({view.mask.flatten() != 0});
    if (colours.size(0) > 0) sum += colours.mean(0);
  }
  sum /= 255.0 * static_cast<double>(views.size());
  const double* colour = sum.data_ptr<double>();
  return {colour[0], colour[1], colour[2]};
}

}  // namespace

std::string NameOf(DatasetKind kind) {
  switch (kind) {
    case DatasetKind::kLlff:
      return "LLFF";
    case DatasetKind::kSynthetic:
      return "nerf_synthetic";
    case DatasetKind::kColmap:
      return "COLMAP";
    case DatasetKind::kTransforms:
      return "transforms.json";
  }
  NERFPIPE_CHECK(false);
}

DatasetKind DetectDatasetKind(const fs::path& path) {
  if (fs::is_regular_file(path) && path.extension() == ".json") {
    return DatasetKind::kTransforms;
  }
  if (!fs::is_directory(path)) {
    throw UserError(path.string() + " is not a folder or a .json file",
                    "give the folder of a data set");
  }
  if (fs::is_regular_file(path / kPosesBoundsFile)) {
    return DatasetKind::kLlff;
  }
  if (fs::is_regular_file(path / "transforms_train.json")) {
    return DatasetKind::kSynthetic;
  }
  if (fs::is_directory(path / kImagesFolder) &&
      !FindSparseModel(path).empty()) {
    return DatasetKind::kColmap;
  }
  if (fs::is_regular_file(path / kTransformsFile)) {
    return DatasetKind::kTransforms;
  }
  throw UserError(
      path.string() + " is not a data set",
      "looked for poses_bounds.npy (LLFF), transforms_train.json "
      "(nerf_synthetic), images/ with sparse/0/cameras and images as .bin or "
      ".txt (COLMAP), and transforms.json (instant-ngp, nerfstudio)");
}

DatasetFiles FilesOfDataset(const fs::path& path, int factor, int llffhold) {
  const DatasetKind kind = DetectDatasetKind(path);
  const std::vector<int> factors =
      factor > 0 ? std::vector{factor} : std::vector{1, 2, 4, 8};
  DatasetFiles files;
  for (const int each : factors) {
    try {
      const PosedImages posed =
          ReadCameras(path, kind, each, llffhold, SilentReport());
      AddFiles(posed.train, &files.train);
      AddFiles(posed.test, &files.test);
    } catch (const MachineError&) {
      throw;
    } catch (const UserError&) {
      // Images of some sizes may not be there.
      if (each == factors.back() && files.train.empty()) throw;
    }
  }
  if (fs::is_regular_file(path)) {
    files.poses.insert(path);
    return files;
  }
  for (const char* name : {kPosesBoundsFile,
                           kTransformsFile,
                           "transforms_train.json",
                           "transforms_val.json",
                           "transforms_test.json"}) {
    if (fs::is_regular_file(path / name)) files.poses.insert(path / name);
  }
  const fs::path model = FindSparseModel(path);
  if (!model.empty()) {
    for (const std::string& name : SortedFileNames(model)) {
      files.poses.insert(model / name);
    }
  }
  return files;
}

ReadResult ReadDataset(const fs::path& path,
                       const ReadOptions& options,
                       Report& report) {
  NERFPIPE_CHECK(options.factor >= 0 && options.llffhold >= 0);
  ReadResult result;
  result.kind = DetectDatasetKind(path);
  result.factor = options.factor > 0 ? options.factor
                                     : OpenFactor(path, result.kind, options);
  PosedImages posed =
      ReadCameras(path, result.kind, result.factor, options.llffhold, report);
  if (posed.train.empty()) {
    throw UserError(path.string() + " leaves no image to train on",
                    "give more images or raise train.llffhold");
  }
  const int64_t count =
      static_cast<int64_t>(posed.train.size() + posed.test.size());
  const int64_t bytes = EstimateBytes(posed);
  report.Info(NameOf(result.kind) +
              " data set: " + std::to_string(posed.train.size()) +
              " images to train on, " + std::to_string(posed.test.size()) +
              " held out, about " + HumanBytes(bytes) + " in memory.");

  const int64_t peak = options.peak_bytes ? options.peak_bytes(bytes) : bytes;
  if (options.memory > 0 && peak > options.memory) {
    throw UserError(
        "training on the images at factor " + std::to_string(result.factor) +
            " takes about " + HumanBytes(peak) + " of memory, and may take " +
            HumanBytes(options.memory),
        "use smaller ones with --set train.factor=" +
            std::to_string(2 * result.factor) + ", or allow more with --mem");
  }

  const std::unique_ptr<Progress> progress =
      report.Start("Reading images", count, "images");
  Dataset& dataset = result.dataset;
  dataset.train = LoadViews(
      posed.train, posed.keep_alpha, options.threads, progress.get(), 0);
  dataset.test = LoadViews(posed.test,
                           posed.keep_alpha,
                           options.threads,
                           progress.get(),
                           static_cast<int64_t>(posed.train.size()));
  // With alpha in any of them, white is behind all, whichever comes first.
  const bool opaque = std::all_of(
      dataset.train.begin(), dataset.train.end(), [](const View& view) {
        return view.image.size(2) == 3;
      });
  if (opaque) dataset.background = MeanColour(dataset.train);
  dataset.points = posed.points.defined()
                       ? posed.points
                       : torch::empty({0, 3}, torch::kDouble);
  dataset.sights = posed.sights;
  dataset.has_box = posed.has_box;
  dataset.box = posed.box;
  result.image_bytes = BytesOf(dataset.train) + BytesOf(dataset.test);
  return result;
}

}  // namespace nerfpipe::nerf
