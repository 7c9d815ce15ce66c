#include "stages/colmap/outputs.h"

#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "stages/colmap/refinement/undistortion.h"
#include "stages/media/image_file.h"

#include <atomic>
#include <string>
#include <utility>
#include <vector>

namespace nerfpipe::sfm {

namespace fs = std::filesystem;

void WriteSparseModels(const MappingResult& mapping, const fs::path& folder) {
  for (size_t i = 0; i < mapping.models.size(); ++i) {
    const fs::path model_folder = folder / std::to_string(i);
    fs::create_directories(model_folder);
    WriteColmapModel(mapping.models[i], model_folder);
  }
}

bool WriteUndistorted(const ColmapModel& model,
                      const fs::path& frames,
                      const fs::path& out,
                      int jpeg_quality,
                      int threads,
                      Report* report) {
  const ColmapCamera& camera = model.cameras.begin()->second;
  const std::optional<Pinhole> pinhole = PlanPinhole(camera);
  if (!pinhole) {
    return false;
  }
  const ColmapModel undistorted = UndistortModel(model, *pinhole);
  fs::create_directories(out / "sparse" / "0");
  fs::create_directories(out / "images");
  WriteColmapModel(undistorted, out / "sparse" / "0");
  std::vector<std::pair<std::string, std::string>> names;  // frame, image
  for (const auto& [id, image] : model.images) {
    names.emplace_back(image.name, undistorted.images.at(id).name);
  }
  const Warp warp(camera, *pinhole);
  const auto progress = report->Start(
      "undistorting", static_cast<int64_t>(names.size()), "images");
  std::atomic<int64_t> done = 0;
  ParallelFor(names.size(), threads, [&](int64_t i) {
    ThrowIfInterrupted();
    WriteImage(warp.Apply(ReadImage(frames / names[i].first)),
               out / "images" / names[i].second,
               jpeg_quality);
    progress->Update(++done);
  });
  return true;
}

}  // namespace nerfpipe::sfm
