#include "stages/llff/downsample_stage.h"

#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "stages/common/area_average.h"
#include "stages/common/dataset_folder.h"
#include "stages/media/image_file.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <set>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

constexpr int kQuality = 97;
// Of a pixel: as decoded and reduced.
constexpr double kBytesToReduce = 5;
constexpr int kMinFactor = 2;
constexpr int kMaxFactor = 64;

struct DownsampleOptions {
  std::string factors = "2,4,8";
};

// "2,4,8" as numbers, ascending. Throws UserError.
std::vector<int> ParseFactors(const std::string& text) {
  std::set<int> factors;
  const char* at = text.data();
  const char* const end = at + text.size();
  bool good = !text.empty();
  while (good && at <= end) {
    while (at < end && *at == ' ') ++at;
    int factor = 0;
    const auto [next, error] = std::from_chars(at, end, factor);
    good = error == std::errc() && factor >= kMinFactor &&
           factor <= kMaxFactor && (next == end || *next == ',');
    factors.insert(factor);
    at = next + 1;
  }
  if (!good) {
    throw UserError("downsample.factors is '" + text + "'",
                    "give whole numbers from 2 to 64 with commas between them, "
                    "such as 2,4,8",
                    ExitCode::kUsage);
  }
  return {factors.begin(), factors.end()};
}

std::string SizeText(int width, int height) {
  return std::to_string(width) + "x" + std::to_string(height);
}

class DownsampleStage : public Stage {
 public:
  std::string Name() const override { return "downsample"; }
  int Version() const override { return 1; }
  std::string Description() const override {
    return "smaller copies of the images";
  }
  std::vector<std::string> Inputs() const override { return {kImagesFolder}; }
  std::vector<std::string> Outputs() const override {
    std::vector<std::string> outputs;
    for (const int factor : ParseFactors(options_.factors)) {
      outputs.push_back(ImagesFolderName(factor));
    }
    return outputs;
  }
  std::vector<OptionGroup> Options() override {
    OptionGroup group("downsample");
    group.Text("factors",
               &options_.factors,
               "by what to divide the sides of the images; each number N "
               "makes a folder images_N");
    return {group};
  }
  void CheckValues() const override { ParseFactors(options_.factors); }
  StageResult Run(const StageContext& context) override;

 private:
  DownsampleOptions options_;
};

// Loaders pair images by sorted name, so the copies keep their stems.
std::vector<std::string> ImageNames(const fs::path& folder) {
  std::vector<std::string> names;
  std::set<std::string> stems;
  for (const std::string& name : SortedFileNames(folder)) {
    if (!HasImageSuffix(name)) continue;
    if (!stems.insert(fs::path(name).stem().string()).second) {
      throw UserError((folder / name).string() +
                          " has the same name as another image but for its "
                          "suffix",
                      "rename one of them");
    }
    names.push_back(name);
  }
  if (names.empty()) {
    throw UserError(folder.string() + " holds no images",
                    "run the colmap stage again");
  }
  return names;
}

void WriteReduced(const fs::path& source,
                  const ImageSize& size,
                  const std::vector<int>& factors,
                  const fs::path& out) {
  const Image image = ReadImage(source);
  if (image.width != size.width || image.height != size.height) {
    throw UserError(
        source.string() + " is " + SizeText(image.width, image.height) +
            " but the first image is " + SizeText(size.width, size.height),
        "all images must have one size, so run the colmap stage "
        "again");
  }
  const std::string name = source.stem().string() + ".jpg";
  for (const int factor : factors) {
    WriteImage(Reduced(image, factor),
               out / ImagesFolderName(factor) / name,
               kQuality);
  }
}

StageResult DownsampleStage::Run(const StageContext& context) {
  const std::vector<int> factors = ParseFactors(options_.factors);
  const fs::path images = context.workspace / kImagesFolder;
  const std::vector<std::string> names = ImageNames(images);
  const ImageSize size = ReadImageSize(images / names.front());
  std::string sizes;
  for (const int factor : factors) {
    fs::create_directories(context.out / ImagesFolderName(factor));
    if (size.width % factor != 0 || size.height % factor != 0) {
      context.report->Warn(
          "images of " + SizeText(size.width, size.height) +
          " do not divide by " + std::to_string(factor) +
          ": loaders that divide the focal length will be slightly off");
    }
    sizes += (sizes.empty() ? "" : ", ") +
             SizeText(ReducedSide(size.width, factor),
                      ReducedSide(size.height, factor));
  }

  const int64_t count = static_cast<int64_t>(names.size());
  const std::unique_ptr<Progress> progress =
      context.report->Start("downsample", count, "images");
  std::atomic<int64_t> done = 0;
  const int threads =
      context.ThreadsFor(kBytesToReduce * size.width * size.height);
  ParallelFor(count, threads, [&](int64_t i) {
    ThrowIfInterrupted();
    WriteReduced(images / names[i], size, factors, context.out);
    progress->Update(++done);
  });
  return StageResult::Done(std::to_string(count) + " images at " + sizes);
}

}  // namespace

std::unique_ptr<Stage> MakeDownsampleStage() {
  return std::make_unique<DownsampleStage>();
}

}  // namespace nerfpipe
