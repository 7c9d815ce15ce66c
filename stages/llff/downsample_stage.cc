#include "stages/llff/downsample_stage.h"

#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "stages/common/area_average.h"
#include "stages/common/dataset_folder.h"
#include "stages/media/image_file.h"
#include "stages/media/mask_file.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <set>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

constexpr int kQuality = 97;
// Of a pixel: as decoded and reduced, and its mask.
constexpr double kBytesToReduce = 8;
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
  int Version() const override { return 2; }
  std::string Description() const override {
    return "smaller copies of the images and masks";
  }
  std::vector<std::string> Inputs() const override {
    return {kImagesFolder, kMasksFolder};
  }
  std::vector<std::string> Outputs() const override {
    std::vector<std::string> outputs;
    for (const int factor : ParseFactors(options_.factors)) {
      outputs.push_back(ImagesFolderName(factor));
      outputs.push_back(MasksFolderName(factor));
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

void WriteReduced(const fs::path& workspace,
                  const std::string& name,
                  const std::vector<int>& factors,
                  const fs::path& out) {
  const Image image =
      ReadImage(workspace / kImagesFolder / name, /*keep_alpha=*/true);
  const std::string copy =
      fs::path(name).stem().string() + (image.channels == 4 ? ".png" : ".jpg");
  for (const int factor : factors) {
    WriteImage(Reduced(image, factor),
               out / ImagesFolderName(factor) / copy,
               kQuality);
  }
  const fs::path mask_file = workspace / kMasksFolder / MaskName(name);
  if (!fs::exists(mask_file)) return;
  const Image mask = ReadMask(mask_file, image.width, image.height);
  for (const int factor : factors) {
    WriteImage(ReducedMask(mask,
                           ReducedSide(image.width, factor),
                           ReducedSide(image.height, factor)),
               out / MasksFolderName(factor) / MaskName(name));
  }
}

// The sizes that the images have, in their order.
std::vector<ImageSize> SizesOf(const fs::path& images,
                               const std::vector<std::string>& names) {
  std::vector<ImageSize> sizes;
  for (const std::string& name : names) {
    const ImageSize size = ReadImageSize(images / name);
    if (std::find(sizes.begin(), sizes.end(), size) == sizes.end()) {
      sizes.push_back(size);
    }
  }
  return sizes;
}

void WarnOfRemainders(const std::vector<ImageSize>& sizes,
                      int factor,
                      Report* report) {
  for (const ImageSize& size : sizes) {
    if (size.width % factor == 0 && size.height % factor == 0) continue;
    report->Warn("images of " + SizeText(size.width, size.height) +
                 " do not divide by " + std::to_string(factor) +
                 ": loaders that divide the focal length will be slightly off");
  }
}

// "480x270, 240x135" of one size, else "3 sizes by 2, 4".
std::string SizesText(const std::vector<ImageSize>& sizes,
                      const std::vector<int>& factors) {
  const bool one = sizes.size() == 1;
  std::string text;
  for (const int factor : factors) {
    text += (text.empty() ? "" : ", ") +
            (one ? SizeText(ReducedSide(sizes[0].width, factor),
                            ReducedSide(sizes[0].height, factor))
                 : std::to_string(factor));
  }
  return one ? "at " + text
             : "of " + std::to_string(sizes.size()) + " sizes by " + text;
}

StageResult DownsampleStage::Run(const StageContext& context) {
  const std::vector<int> factors = ParseFactors(options_.factors);
  const fs::path images = context.workspace / kImagesFolder;
  const std::vector<std::string> names = ImageNames(images);
  const std::vector<ImageSize> sizes = SizesOf(images, names);
  for (const int factor : factors) {
    fs::create_directories(context.out / ImagesFolderName(factor));
    fs::create_directories(context.out / MasksFolderName(factor));
    WarnOfRemainders(sizes, factor, context.report);
  }

  const int64_t count = static_cast<int64_t>(names.size());
  const std::unique_ptr<Progress> progress =
      context.report->Start("downsample", count, "images");
  std::atomic<int64_t> done = 0;
  double most_pixels = 0;
  for (const ImageSize& size : sizes) {
    most_pixels = std::max(most_pixels, 1.0 * size.width * size.height);
  }
  const int threads = context.ThreadsFor(kBytesToReduce * most_pixels);
  ParallelFor(count, threads, [&](int64_t i) {
    ThrowIfInterrupted();
    WriteReduced(context.workspace, names[i], factors, context.out);
    progress->Update(++done);
  });
  return StageResult::Done(std::to_string(count) + " images " +
                           SizesText(sizes, factors));
}

}  // namespace

std::unique_ptr<Stage> MakeDownsampleStage() {
  return std::make_unique<DownsampleStage>();
}

}  // namespace nerfpipe
