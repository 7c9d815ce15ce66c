#include "stages/colmap/outputs.h"

#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "stages/colmap/refinement/undistortion.h"
#include "stages/colmap/refinement/warp.h"
#include "stages/common/dataset_folder.h"
#include "stages/media/image_file.h"
#include "stages/media/mask_file.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <vector>

#include <fmt/format.h>

namespace nerfpipe::sfm {

namespace fs = std::filesystem;

namespace {

struct UndistortedFile {
  std::string frame;
  std::string image;
  bool has_alpha = false;
  bool has_mask = false;
};

// Only PNG frames can.
bool HasAlpha(const fs::path& frame) {
  return frame.extension() == ".png" && ReadImageHeader(frame).channels == 4;
}

bool IsWhite(const Image& mask) {
  return std::all_of(mask.pixels.begin(), mask.pixels.end(), [](uint8_t value) {
    return value == 255;
  });
}

// Takes what is not covered out of the picture and out of its mask. In a
// picture with alpha it stays opaque: what is behind it is not known.
void LeaveOutUncovered(const Image& coverage, Image* picture, Image* mask) {
  for (size_t i = 0; i < coverage.pixels.size(); ++i) {
    if (coverage.pixels[i] != 0) continue;
    mask->pixels[i] = 0;
    uint8_t* pixel = picture->pixels.data() + i * picture->channels;
    std::fill_n(pixel, 3, uint8_t{0});
    if (picture->channels == 4) pixel[3] = 255;
  }
}

Image WhiteMask(int width, int height) {
  Image mask(width, height, 1);
  std::fill(mask.pixels.begin(), mask.pixels.end(), uint8_t{255});
  return mask;
}

// An empty `coverage` is a full one. True if there was a mask to write.
bool WriteUndistortedFile(const Warp& warp,
                          const Image& coverage,
                          const UndistortionJob& job,
                          const UndistortedFile& file) {
  const Image frame = ReadImage(job.frames / file.frame, file.has_alpha);
  Image picture = warp.Apply(frame);
  const fs::path frame_mask = job.masks / MaskName(file.frame);
  Image mask =
      fs::exists(frame_mask)
          ? warp.ApplyToMask(ReadMask(frame_mask, frame.width, frame.height))
          : WhiteMask(picture.width, picture.height);
  LeaveOutUncovered(coverage, &picture, &mask);
  WriteImage(picture, job.out / kImagesFolder / file.image, job.jpeg_quality);
  if (IsWhite(mask)) return false;
  WriteImage(mask, job.out / kMasksFolder / MaskName(file.image));
  return true;
}

// Readers of masks want one for each image, or none at all.
void WriteWhiteMasks(const Pinhole& pinhole,
                     const std::vector<UndistortedFile>& files,
                     const fs::path& folder) {
  const Image white = WhiteMask(pinhole.width, pinhole.height);
  for (const UndistortedFile& file : files) {
    if (!file.has_mask) WriteImage(white, folder / MaskName(file.image));
  }
}

std::string LineOfManySizes(const UndistortionPlan& plan) {
  return fmt::format(
      "the images keep the sizes of their {} lenses, since one size for all "
      "would lose more than half of some pictures: nerf-pytorch and other "
      "programs that read poses_bounds.npy cannot open this workspace; COLMAP, "
      "nerfstudio, instant-ngp and the splat trainers can",
      plan.pinholes.size());
}

}  // namespace

void WriteSparseModels(const MappingResult& mapping, const fs::path& folder) {
  for (size_t i = 0; i < mapping.models.size(); ++i) {
    const fs::path model_folder = folder / std::to_string(i);
    fs::create_directories(model_folder);
    WriteColmapModel(mapping.models[i], model_folder);
  }
}

std::optional<std::string> WriteUndistorted(const ColmapModel& model,
                                            const UndistortionJob& job) {
  const std::optional<UndistortionPlan> plan = PlanUndistortion(model);
  if (!plan) return std::nullopt;
  std::set<uint32_t> with_alpha;
  for (const auto& [id, image] : model.images) {
    if (HasAlpha(job.frames / image.name)) with_alpha.insert(id);
  }
  const ColmapModel undistorted = UndistortModel(model, *plan, with_alpha);
  fs::create_directories(job.out / "sparse" / "0");
  fs::create_directories(job.out / kImagesFolder);
  fs::create_directories(job.out / kMasksFolder);
  WriteColmapModel(undistorted, job.out / "sparse" / "0");
  std::map<uint32_t, std::vector<UndistortedFile>> of_lens;
  for (const auto& [id, image] : model.images) {
    of_lens[image.camera_id].push_back(
        {image.name, undistorted.images.at(id).name, with_alpha.contains(id)});
  }
  const auto progress = job.report->Start(
      "undistorting", static_cast<int64_t>(model.images.size()), "images");
  std::atomic<int64_t> done = 0;
  std::atomic<bool> masked = false;
  for (auto& [id, with_lens] : of_lens) {
    std::vector<UndistortedFile>& files = with_lens;
    const ColmapCamera& camera = model.cameras.at(id);
    const Pinhole& pinhole = plan->pinholes.at(id);
    const Warp warp(camera, pinhole);
    const Image coverage =
        plan->IsOwn(id) ? Image() : CoverageOf(camera, pinhole);
    ParallelFor(
        static_cast<int64_t>(files.size()), job.threads, [&](int64_t i) {
          ThrowIfInterrupted();
          if (WriteUndistortedFile(warp, coverage, job, files[i])) {
            files[i].has_mask = masked = true;
          }
          progress->Update(++done);
        });
  }
  if (masked) {
    for (const auto& [id, files] : of_lens) {
      WriteWhiteMasks(plan->pinholes.at(id), files, job.out / kMasksFolder);
    }
  }
  return plan->shared ? std::string() : LineOfManySizes(*plan);
}

}  // namespace nerfpipe::sfm
