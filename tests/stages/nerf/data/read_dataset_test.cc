// What all layouts have in common: views, sizes, splits, memory, bounds. Rules
// of single layouts are in readers_test.cc.

#include "stages/nerf/data/read_dataset.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/common/area_average.h"
#include "stages/media/image_file.h"
#include "tests/listener.h"
#include "tests/real_data.h"
#include "tests/stages/nerf/data/tiny_scene.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::nerf {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ReadResult Read(const fs::path& path, int factor = 1, int llffhold = 8) {
  return ReadDataset(path, {factor, llffhold, 2}, SilentReport());
}

std::string ProblemOf(const fs::path& path, const ReadOptions& options) {
  try {
    ReadDataset(path, options, SilentReport());
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

std::vector<std::string> NamesOf(const std::vector<View>& views) {
  std::vector<std::string> names;
  for (const View& view : views) {
    names.push_back(fs::path(view.name).filename().string());
  }
  return names;
}

// The nearest whole number, half up.
int Side(int side, int factor) {
  return static_cast<int>(std::floor(static_cast<double>(side) / factor + 0.5));
}

torch::Tensor TensorOf(const Image& image) {
  return torch::tensor(torch::ArrayRef<uint8_t>(image.pixels), torch::kUInt8)
      .view({image.height, image.width, image.channels});
}

// One folder of every layout but nerf_synthetic.
class LayoutsTest : public ::testing::Test {
 protected:
  LayoutsTest() {
    scene_.WriteLlff(llff_);
    scene_.WriteColmap(colmap_ / "sparse/0");
    scene_.WriteTransforms(transforms_);
    for (const fs::path& folder : All()) {
      scene_.WriteImages(folder / "images");
    }
  }

  std::vector<fs::path> All() const {
    return {llff_.path(), colmap_.path(), transforms_.path()};
  }

  // Camera, pose and pixels are those of camera i.
  void ExpectView(const View& view, int i, int factor, DatasetKind kind) const {
    const bool llff = kind == DatasetKind::kLlff;
    const SceneCamera& camera = scene_.cameras[i];
    const int width = Side(camera.width, factor);
    const int height = Side(camera.height, factor);
    const double sx = static_cast<double>(width) / camera.width;
    const double sy = static_cast<double>(height) / camera.height;
    SCOPED_TRACE(scene_.names[i]);
    EXPECT_EQ(fs::path(view.name).filename(), scene_.names[i]);
    EXPECT_EQ(view.camera.width, width);
    EXPECT_EQ(view.camera.height, height);
    EXPECT_NEAR(view.camera.fx, camera.fx * sx, 1e-9);
    EXPECT_NEAR(view.camera.fy, (llff ? camera.fx : camera.fy) * sy, 1e-9);
    EXPECT_NEAR(view.camera.cx, llff ? width / 2.0 : camera.cx * sx, 1e-9);
    EXPECT_NEAR(view.camera.cy, llff ? height / 2.0 : camera.cy * sy, 1e-9);
    const Image& picture = scene_.Picture(i);
    const Image expected =
        Reduced(llff ? WithoutAlpha(picture) : picture, factor);
    EXPECT_TRUE(torch::equal(view.image, TensorOf(expected)));
    const Rigid3& truth = scene_.world_from_camera[i];
    const auto& m = view.camera.world_from_camera;
    for (int k = 0; k < 3; ++k) {
      EXPECT_NEAR(m[4 * k], truth.rotation(k, 0), 1e-9);
      EXPECT_NEAR(m[4 * k + 1], -truth.rotation(k, 1), 1e-9);
      EXPECT_NEAR(-m[4 * k + 2], truth.rotation(k, 2), 1e-9);
      EXPECT_NEAR(m[4 * k + 3], truth.translation(k), 1e-9);
    }
  }

  // All views in the order of names, every `hold`-th held out.
  void ExpectScene(const ReadResult& result, int factor, size_t hold) const {
    size_t train = 0, test = 0;
    for (size_t k = 0; k < TinyScene::kCount; ++k) {
      const bool held_out = hold > 0 && k % hold == 0;
      const std::vector<View>& views =
          held_out ? result.dataset.test : result.dataset.train;
      size_t& at = held_out ? test : train;
      ASSERT_LT(at, views.size());
      ExpectView(views[at++], scene_.order[k], factor, result.kind);
    }
    EXPECT_EQ(train, result.dataset.train.size());
    EXPECT_EQ(test, result.dataset.test.size());
  }

  const TinyScene scene_;
  const TemporaryFolder llff_, colmap_, transforms_;
};

TEST_F(LayoutsTest, HaveTheSameViews) {
  const std::vector<DatasetKind> kinds = {
      DatasetKind::kLlff, DatasetKind::kColmap, DatasetKind::kTransforms};
  for (size_t i = 0; i < kinds.size(); ++i) {
    const ReadResult result = Read(All()[i]);
    EXPECT_EQ(result.kind, kinds[i]);
    ExpectScene(result, 1, 8);
    int64_t bytes = 0;
    for (int k = 0; k < TinyScene::kCount; ++k) {
      bytes += std::ssize(kinds[i] == DatasetKind::kLlff
                              ? WithoutAlpha(scene_.Picture(k)).pixels
                              : scene_.Picture(k).pixels);
    }
    EXPECT_EQ(result.image_bytes, bytes);
  }
  ExpectScene(Read(transforms_ / "transforms.json"), 1, 8);
}

// Sides of 43 to 103 pixels, which 4 does not divide.
TEST_F(LayoutsTest, FactorTakesTheFolderOrAverages) {
  for (const fs::path& folder : All()) {
    ExpectScene(Read(folder, 4), 4, 8);
    EXPECT_FALSE(fs::exists(folder / "images_4"));
    // In the folder all pictures are as they are read now, but one of another
    // colour, which shows where the pictures come from.
    const bool llff = folder == llff_.path();
    fs::create_directories(folder / "images_4");
    for (int i = 0; i < TinyScene::kCount; ++i) {
      const Image& whole = scene_.Picture(i);
      Image small = Reduced(llff ? WithoutAlpha(whole) : whole, 4);
      if (i == 7) small.pixels[0] ^= 0x55;
      WriteImage(small, folder / "images_4" / scene_.names[i]);
    }
    ReadResult result = Read(folder, 4);
    EXPECT_EQ(result.factor, 4);
    const size_t place =
        std::find(scene_.order.begin(), scene_.order.end(), 7) -
        scene_.order.begin();
    ASSERT_EQ(place % 8, 2);  // the second of those to train on
    torch::Tensor marked = result.dataset.train[1].image[0][0][0];
    const int found = marked.item<int>();
    marked.fill_(found ^ 0x55);
    ExpectScene(result, 4, 8);
    // With a copy missing none is taken; a list of poses without names needs
    // them all.
    fs::remove(folder / "images_4" / scene_.names[2]);
    if (llff) {
      EXPECT_THAT(ProblemOf(folder, {4, 8, 1}), HasSubstr("10 images"));
    } else {
      ExpectScene(Read(folder, 4), 4, 8);
    }
  }
}

// White but for a pixel, in the size of a camera's picture.
Image MaskOf(const SceneCamera& camera, int x, int y) {
  Image mask(camera.width, camera.height, 1);
  std::fill(mask.pixels.begin(), mask.pixels.end(), 255);
  *mask.At(x, y) = 0;
  return mask;
}

const View& ViewCalled(const ReadResult& result, const std::string& name) {
  for (const auto* part : {&result.dataset.train, &result.dataset.test}) {
    for (const View& view : *part) {
      if (fs::path(view.name).filename() == name) return view;
    }
  }
  throw std::out_of_range(name);
}

// Of a workspace: with the images or the smaller copies, and from the whole
// ones where there are no copies.
TEST_F(LayoutsTest, MasksComeWithTheImages) {
  const std::string& name = scene_.names[7];
  const SceneCamera& camera = scene_.cameras[7];
  for (const fs::path& folder : {llff_.path(), colmap_.path()}) {
    fs::create_directories(folder / "masks");
    WriteImage(MaskOf(camera, 30, 17), folder / "masks" / name);
    Listener report;
    const ReadResult whole = ReadDataset(folder, {1, 8, 2}, report);
    EXPECT_THAT(report.infos,
                ::testing::Contains(HasSubstr("1 of 11 images have a mask")));
    const torch::Tensor& mask = ViewCalled(whole, name).mask;
    ASSERT_TRUE(mask.defined());
    EXPECT_TRUE(
        torch::equal(mask, TensorOf(MaskOf(camera, 30, 17)).squeeze(2)));
    EXPECT_FALSE(ViewCalled(whole, scene_.names[3]).mask.defined());
    // Averaged, and out as a whole.
    const torch::Tensor small = ViewCalled(Read(folder, 4), name).mask;
    ASSERT_EQ(small.size(0), Side(camera.height, 4));
    EXPECT_TRUE(torch::equal(small,
                             TensorOf(ReducedMask(MaskOf(camera, 30, 17),
                                                  Side(camera.width, 4),
                                                  Side(camera.height, 4)))
                                 .squeeze(2)));
    fs::create_directories(folder / "masks_4");
    Image of_copy(Side(camera.width, 4), Side(camera.height, 4), 1);
    of_copy.pixels[5] = 255;
    WriteImage(of_copy, folder / "masks_4" / name);
    EXPECT_TRUE(torch::equal(ViewCalled(Read(folder, 4), name).mask,
                             TensorOf(of_copy).squeeze(2)));
  }
  nlohmann::json root = scene_.Transforms();
  for (auto& frame : root["frames"]) {
    if (frame["file_path"].get<std::string>().find(name) == std::string::npos) {
      continue;
    }
    frame["mask_path"] = "elsewhere/m.png";
  }
  WriteFileAtomically(transforms_ / "transforms.json", root.dump());
  fs::create_directories(transforms_ / "elsewhere");
  WriteImage(MaskOf(camera, 3, 4), transforms_ / "elsewhere" / "m.png");
  EXPECT_TRUE(torch::equal(ViewCalled(Read(transforms_), name).mask,
                           TensorOf(MaskOf(camera, 3, 4)).squeeze(2)));
}

// What is transparent says that nothing is there; what is masked and opaque
// says nothing. An LLFF set of others knows no alpha.
TEST_F(LayoutsTest, MasksTakeNothingFromWhatIsTransparent) {
  const std::string& name = scene_.names[kTransparentView];
  const Image& picture = scene_.Picture(kTransparentView);
  ASSERT_EQ(picture.channels, 4);
  EXPECT_EQ(ViewCalled(Read(llff_), name).image.size(2), 3);
  Image black(picture.width, picture.height, 1);
  for (const fs::path& folder : {llff_.path(), colmap_.path()}) {
    fs::create_directories(folder / "masks");
    WriteImage(black, folder / "masks" / name);
    const View view = ViewCalled(Read(folder), name);
    ASSERT_EQ(view.image.size(2), 4);
    EXPECT_TRUE(torch::equal(view.image, TensorOf(picture)));
    const torch::Tensor transparent = view.image.slice(2, 3).squeeze(2) < 128;
    EXPECT_TRUE(transparent.any().item<bool>());
    EXPECT_TRUE(torch::equal(view.mask != 0, transparent));
  }
}

TEST_F(LayoutsTest, EveryNthOfTheNamesIsHeldOut) {
  for (const fs::path& folder : All()) {
    ExpectScene(Read(folder, 1, 0), 1, 0);
    ExpectScene(Read(folder, 1, 3), 1, 3);
    EXPECT_THAT(
        NamesOf(Read(folder, 1, 3).dataset.test),
        ElementsAre("IMG 10.png", "IMG 13.png", "IMG 5.png", "IMG 8.png"));
    EXPECT_THAT(ProblemOf(folder, {1, 1, 1}),
                AllOf(HasSubstr(folder.string()),
                      HasSubstr("no image to train on"),
                      HasSubstr("train.llffhold")));
  }
}

TEST_F(LayoutsTest, AQuarterOfTheSizeIsTheDefault) {
  for (const fs::path& folder : All()) {
    const ReadResult result = Read(folder, 0);
    EXPECT_EQ(result.factor, 4);
    EXPECT_EQ(result.dataset.train[0].camera.width,
              Side(scene_.cameras[scene_.order[1]].width, 4));
  }
}

// To the byte, with alpha and all sizes.
TEST_F(LayoutsTest, ImagesThatDoNotFitIntoMemoryAreRefused) {
  const auto peak = [](int64_t bytes) { return 2 * bytes + 7; };
  for (const fs::path& folder : All()) {
    for (const int factor : {1, 4}) {
      const int64_t bytes = Read(folder, factor).image_bytes;
      EXPECT_EQ(ProblemOf(folder, {factor, 8, 1, bytes}), "no error");
      EXPECT_THAT(
          ProblemOf(folder, {factor, 8, 1, bytes - 1}),
          AllOf(HasSubstr("at factor " + std::to_string(factor)),
                HasSubstr("--set train.factor=" + std::to_string(2 * factor)),
                HasSubstr("--mem")));
      // So is what a run takes beside them.
      EXPECT_EQ(ProblemOf(folder, {factor, 8, 1, 2 * bytes + 7, peak}),
                "no error");
      EXPECT_THAT(ProblemOf(folder, {factor, 8, 1, 2 * bytes + 6, peak}),
                  HasSubstr("--mem"));
    }
  }
}

class Sayings : public Listener {
 public:
  void Info(std::string_view line) override { lines.emplace_back(line); }

  std::vector<std::string> lines;
};

TEST_F(LayoutsTest, SayWhatTheyHold) {
  Sayings report;
  ReadDataset(colmap_, {1, 3, 1}, report);
  EXPECT_THAT(report.lines,
              ElementsAre(HasSubstr("COLMAP data set: 7 images to train on, 4 "
                                    "held out, about ")));
  EXPECT_TRUE(report.warnings.empty());
}

TEST_F(LayoutsTest, BehindThemIsTheMeanColourOrWhite) {
  const Dataset opaque = Read(llff_).dataset;
  torch::Tensor mean = torch::zeros({3}, torch::kDouble);
  for (const View& view : opaque.train) {
    mean += view.image.to(torch::kDouble).mean(torch::IntArrayRef({0, 1})) /
            255 / 9;
  }
  for (int c = 0; c < 3; ++c) {
    EXPECT_NEAR(opaque.background[c], mean[c].item<double>(), 1e-5);
  }
  EXPECT_GT(std::abs(opaque.background[0] - opaque.background[2]), 0.01);
  // One of the others has alpha, though not the first.
  const Dataset mixed = Read(transforms_).dataset;
  ASSERT_EQ(mixed.train[0].image.size(2), 3);
  EXPECT_THAT(mixed.background, ElementsAre(1, 1, 1));
}

// As numpy.percentile takes it.
double Percentile(std::vector<double> values, double percent) {
  std::sort(values.begin(), values.end());
  const double at = percent / 100 * static_cast<double>(values.size() - 1);
  const auto low = static_cast<size_t>(std::floor(at));
  const auto high = static_cast<size_t>(std::ceil(at));
  return values[low] + (at - std::floor(at)) * (values[high] - values[low]);
}

TEST_F(LayoutsTest, DepthBoundsAreThoseOfTheFileOrOfSteadyPoints) {
  const ReadResult llff = Read(llff_);
  for (size_t k = 0; k < 2; ++k) {
    const int i = scene_.order[k + 1];
    EXPECT_DOUBLE_EQ(llff.dataset.train[k].near, 1.25 + 0.1 * i);
    EXPECT_DOUBLE_EQ(llff.dataset.train[k].far, 7.5 + 0.3 * i);
  }
  const Dataset colmap = Read(colmap_).dataset;
  for (size_t k = 0; k < colmap.train.size(); ++k) {
    const int i = scene_.order[k + 1 + (k >= 7)];
    std::vector<double> depths;
    for (size_t p = 0; p < scene_.points.size(); ++p) {
      if (!scene_.Sees(i, p) || !scene_.IsSteady(p)) continue;
      const Rigid3 camera_from_world = scene_.world_from_camera[i].Inverse();
      depths.push_back((camera_from_world * scene_.points[p]).z());
    }
    ASSERT_GT(depths.size(), 10);
    EXPECT_NEAR(colmap.train[k].near, Percentile(depths, 0.1), 1e-9);
    EXPECT_NEAR(colmap.train[k].far, Percentile(depths, 99.9), 1e-9);
  }
  const Dataset transforms = Read(transforms_).dataset;
  EXPECT_EQ(transforms.train[0].near, 0);
  EXPECT_EQ(transforms.train[0].far, 0);
}

// Of COLMAP's model, also where it stands beside poses_bounds.npy.
TEST_F(LayoutsTest, SteadyPointsComeAlong) {
  scene_.WriteColmap(llff_ / "sparse/0");
  std::vector<Eigen::Vector3d> steady;
  for (size_t p = 0; p < scene_.points.size(); ++p) {
    if (scene_.IsSteady(p)) steady.push_back(scene_.points[p]);
  }
  ASSERT_GT(2 * steady.size(), scene_.points.size());
  ASSERT_LT(steady.size(), scene_.points.size());
  for (const fs::path& folder : {llff_.path(), colmap_.path()}) {
    const torch::Tensor points = Read(folder).dataset.points;
    ASSERT_EQ(points.sizes(), (torch::IntArrayRef{std::ssize(steady), 3}));
    for (size_t p = 0; p < steady.size(); ++p) {
      for (int k = 0; k < 3; ++k) {
        EXPECT_EQ(points[p][k].item<double>(), steady[p](k));
      }
    }
  }
  EXPECT_EQ(Read(transforms_).dataset.points.size(0), 0);
}

// The lines of sight of training views alone: held-out ones are to be guessed.
TEST_F(LayoutsTest, SightsAreThoseOfTrainingViews) {
  scene_.WriteColmap(llff_ / "sparse/0");
  for (const fs::path& folder : {llff_.path(), colmap_.path()}) {
    const Dataset dataset = Read(folder).dataset;
    const torch::Tensor from = dataset.sights.select(1, 0);
    const torch::Tensor to = dataset.sights.select(1, 1);
    int64_t all = 0;
    for (size_t k = 0; k < TinyScene::kCount; ++k) {
      if (k % 8 == 0) continue;
      const int i = scene_.order[k];
      std::vector<double> seen;
      for (size_t p = 0; p < scene_.points.size(); ++p) {
        if (!scene_.Sees(i, p) || !scene_.IsSteady(p)) continue;
        const Eigen::Vector3d& x = scene_.points[p];
        seen.insert(seen.end(), {x.x(), x.y(), x.z()});
      }
      all += std::ssize(seen) / 3;
      const Eigen::Vector3d& c = scene_.world_from_camera[i].translation;
      const torch::Tensor centre =
          torch::tensor({c.x(), c.y(), c.z()}, torch::kDouble);
      const torch::Tensor its =
          torch::nonzero((from - centre).abs().amax(1) < 1e-9).flatten();
      const torch::Tensor expected =
          torch::tensor(seen, torch::kDouble).view({-1, 3});
      EXPECT_TRUE(torch::equal(to.index_select(0, its), expected));
      // Each view knows them by their numbers, too.
      const View& view = dataset.train[k - k / 8 - 1];
      ASSERT_EQ(fs::path(view.name).stem(), fs::path(scene_.names[i]).stem());
      EXPECT_TRUE(
          torch::equal(dataset.points.index_select(0, view.seen), expected));
    }
    EXPECT_EQ(dataset.sights.size(0), all);
  }
}

TEST(ReadDatasetTest, RealSets) {
  NERFPIPE_NEEDS_REAL_DATA();
  const fs::path data = RealData();
  const ReadResult fern = Read(data / "fern", 8);
  EXPECT_EQ(fern.dataset.train.size(), 17);
  EXPECT_EQ(fern.dataset.test.size(), 3);
  EXPECT_EQ(fern.dataset.train[0].camera.width, 504);
  EXPECT_NEAR(fern.dataset.train[0].camera.fx, 407.6, 0.1);

  const ReadResult lego = Read(data / "lego_100");
  EXPECT_EQ(lego.dataset.train.size(), 100);
  EXPECT_EQ(lego.dataset.test.size(), 25);
  EXPECT_EQ(lego.dataset.train[0].image.size(2), 4);

  EXPECT_THAT(ProblemOf(data / "fox", {4, 8, 1}), HasSubstr("distorted"));
  // The same file with its distortion struck out.
  const TemporaryFolder folder;
  std::string json = ReadFile(data / "fox" / "transforms.json");
  for (const char* name : {"\"k1\"", "\"k2\"", "\"p1\"", "\"p2\""}) {
    json.replace(json.find(name), 4, "\"_\"");
  }
  WriteFileAtomically(folder.path() / "transforms.json", json);
  fs::create_directory_symlink(data / "fox" / "images",
                               folder.path() / "images");
  Listener listener;
  const ReadResult fox = ReadDataset(folder.path(), {8, 8, 2}, listener);
  EXPECT_EQ(fox.dataset.train.size() + fox.dataset.test.size(), 50);
  EXPECT_THAT(listener.warnings.at(0), HasSubstr("17 of 67 frames"));
  EXPECT_EQ(fox.dataset.train[0].camera.width, 135);
}

}  // namespace
}  // namespace nerfpipe::nerf
