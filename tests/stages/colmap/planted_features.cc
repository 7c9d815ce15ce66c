#include "tests/stages/colmap/planted_features.h"

#include "stages/colmap/matching/kept_work.h"
#include "stages/media/image_file.h"

#include <filesystem>

namespace nerfpipe::sfm {

void PlantFeatures(const SolveJob& job, const std::vector<Features>& features) {
  std::filesystem::create_directories(job.frames);
  for (size_t i = 0; i < job.names.size(); ++i) {
    const bool own = i < job.lenses.size();
    WriteImage(Image(own ? job.lenses[i].width : job.width,
                     own ? job.lenses[i].height : job.height,
                     3),
               job.frames / job.names[i]);
  }
  const KeptFeatures kept(
      job.place.scratch / "features",
      job.frames,
      job.masks,
      job.names,
      {job.options.max_image_size, job.options.max_features},
      job.place.threads);
  for (size_t i = 0; i < features.size(); ++i) kept.Save(i, features[i]);
}

}  // namespace nerfpipe::sfm
