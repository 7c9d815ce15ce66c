#include "stages/nerf/data/posed_image.h"

#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "stages/common/area_average.h"
#include "stages/common/dataset_folder.h"
#include "stages/media/image_file.h"
#include "stages/media/mask_file.h"

#include <algorithm>
#include <atomic>
#include <cmath>

namespace nerfpipe::nerf {
namespace {

namespace fs = std::filesystem;

// "images/a/b.jpg" becomes "images_4/a/b.jpg"; empty when there is no folder
// of that name in the path.
fs::path InScaledFolder(const fs::path& relative, int factor) {
  fs::path result;
  bool found = false;
  for (const fs::path& part : relative) {
    if (!found && part == kImagesFolder) {
      result /= ImagesFolderName(factor);
      found = true;
    } else {
      result /= part;
    }
  }
  return found ? result : fs::path();
}

// As large as the image. Where all is used, nothing.
torch::Tensor LoadMask(const fs::path& file, const Image& image) {
  if (file.empty()) return {};
  const ImageSize size = ReadImageSize(file);
  if (size.width < image.width || size.height < image.height) {
    throw UserError("the mask " + file.string() + " is smaller than its image",
                    "give masks the size of their images");
  }
  const Image mask = ReducedMask(
      ReadMask(file, size.width, size.height), image.width, image.height);
  torch::Tensor tensor = torch::empty({mask.height, mask.width}, torch::kUInt8);
  uint8_t* out = tensor.data_ptr<uint8_t>();
  bool any = false;
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    const bool transparent =
        image.channels == 4 && image.pixels[4 * i + 3] < 128;
    out[i] = transparent ? 255 : mask.pixels[i];
    any = any || out[i] == 0;
  }
  return any ? tensor : torch::Tensor();
}

torch::Tensor ToTensor(const Image& image) {
  torch::Tensor tensor =
      torch::empty({image.height, image.width, image.channels}, torch::kUInt8);
  std::copy(
      image.pixels.begin(), image.pixels.end(), tensor.data_ptr<uint8_t>());
  return tensor;
}

// The same camera for an image of another size.
Camera Rescaled(const Camera& camera,
                const Image& image,
                const std::string& file) {
  const double sx = static_cast<double>(image.width) / camera.width;
  const double sy = static_cast<double>(image.height) / camera.height;
  if (std::abs(sx / sy - 1) > 0.03) {
    throw UserError(
        file + " is " + std::to_string(image.width) + "x" +
            std::to_string(image.height) + " but its camera is for " +
            std::to_string(camera.width) + "x" + std::to_string(camera.height),
        "use the images that the cameras were computed from, not turned or "
        "cropped");
  }
  Camera result = camera;
  result.width = image.width;
  result.height = image.height;
  result.fx *= sx;
  result.cx *= sx;
  result.fy *= sy;
  result.cy *= sy;
  return result;
}

}  // namespace

Camera MakeCamera(const Rigid3& world_from_camera, const Pinhole& pinhole) {
  Camera camera;
  camera.width = pinhole.width;
  camera.height = pinhole.height;
  camera.fx = pinhole.fx;
  camera.fy = pinhole.fy;
  camera.cx = pinhole.cx;
  camera.cy = pinhole.cy;
  for (int row = 0; row < 3; ++row) {
    for (int column = 0; column < 3; ++column) {
      camera.world_from_camera[4 * row + column] =
          world_from_camera.rotation(row, column);
    }
    camera.world_from_camera[4 * row + 3] = world_from_camera.translation(row);
  }
  return camera;
}

void SplitEvery(std::vector<PosedImage> all, int llffhold, PosedImages* split) {
  std::stable_sort(
      all.begin(), all.end(), [](const PosedImage& a, const PosedImage& b) {
        return a.name < b.name;
      });
  for (size_t i = 0; i < all.size(); ++i) {
    const bool held_out = llffhold > 0 && i % llffhold == 0;
    (held_out ? split->test : split->train).push_back(std::move(all[i]));
  }
}

void UseFactor(const fs::path& root,
               int factor,
               std::vector<PosedImage>* images) {
  if (factor == 1) {
    return;
  }
  std::vector<fs::path> scaled;
  for (const PosedImage& image : *images) {
    const fs::path relative =
        InScaledFolder(image.file.lexically_relative(root), factor);
    if (relative.empty() || !fs::is_regular_file(root / relative)) {
      break;
    }
    scaled.push_back(root / relative);
  }
  const bool complete = scaled.size() == images->size();
  for (size_t i = 0; i < images->size(); ++i) {
    if (complete) {
      (*images)[i].file = scaled[i];
    } else {
      (*images)[i].shrink = factor;
    }
  }
}

void UseMasks(const fs::path& root,
              int factor,
              std::vector<PosedImage>* images,
              Report& report) {
  size_t masked = 0;
  for (PosedImage& image : *images) {
    const std::string name = MaskName(image.name);
    for (const int of : {factor, 1}) {
      const fs::path mask = root / MasksFolderName(of) / name;
      if (!fs::is_regular_file(mask)) continue;
      image.mask = mask;
      ++masked;
      break;
    }
  }
  if (masked == 0) return;
  report.Info(std::to_string(masked) + " of " + std::to_string(images->size()) +
              " images have a mask in " + (root / kMasksFolder).string() +
              ": trained on is what is white in it.");
}

std::vector<View> LoadViews(const std::vector<PosedImage>& posed,
                            bool keep_alpha,
                            int threads,
                            Progress* progress,
                            int64_t done_before) {
  std::vector<View> views(posed.size());
  std::atomic<int64_t> done = done_before;
  ParallelFor(static_cast<int64_t>(posed.size()), threads, [&](int64_t i) {
    ThrowIfInterrupted();
    const PosedImage& source = posed[i];
    const Image image =
        Reduced(ReadImage(source.file, keep_alpha), source.shrink);
    View& view = views[i];
    view.name = source.name;
    view.camera = Rescaled(source.camera, image, source.file.string());
    view.near = source.near;
    view.far = source.far;
    view.seen = torch::tensor(source.seen, torch::kInt64);
    view.image = ToTensor(image);
    view.mask = LoadMask(source.mask, image);
    progress->Update(++done);
  });
  return views;
}

}  // namespace nerfpipe::nerf
