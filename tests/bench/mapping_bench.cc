// Times incremental mapping alone:
//
//   mapping_bench DATABASE IMAGES [OUT]
//
// DATABASE is a workspace's database.db, IMAGES its frames/. The chosen model
// is written into OUT.

#include "stages/colmap/mapping/mapping.h"

#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

void Run(int argc, char** argv) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(argv[2])) {
    names.push_back(entry.path().filename().string());
  }
  const auto start = std::chrono::steady_clock::now();
  const sfm::MappingResult result =
      sfm::MapImages(argv[1], argv[2], names, {}, &SilentReport());
  const std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - start;
  if (result.chosen < 0) {
    std::printf("nothing solved in %.1f s\n", seconds.count());
    return;
  }
  const ColmapModel& model = result.models[result.chosen];
  std::printf("%.1f s: %zu images, %zu points, %.3f px, %zu models\n",
              seconds.count(),
              model.images.size(),
              model.points.size(),
              result.mean_error,
              result.models.size());
  if (argc > 3) {
    fs::create_directories(argv[3]);
    WriteColmapModel(model, argv[3]);
  }
}

}  // namespace
}  // namespace nerfpipe

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: mapping_bench DATABASE IMAGES [OUT]\n");
    return 2;
  }
  try {
    nerfpipe::Run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mapping_bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
