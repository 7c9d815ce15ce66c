#include "stages/common/colmap_model.h"

#include "pipeline/base/error.h"
#include "stages/common/colmap_camera_models.h"
#include "tests/stages/common/example_model.h"
#include "tests/temporary_folder.h"

#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

class ColmapModelTest : public testing::Test {
 protected:
  void Write(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }

  // The message of the UserError that reading gives.
  std::string Failure() {
    try {
      ReadColmapModel(folder_);
    } catch (const UserError& error) {
      return error.problem();
    }
    return "read without complaint";
  }

  const TemporaryFolder folder_;
};

void ExpectEqual(const ColmapModel& a, const ColmapModel& b) {
  ASSERT_EQ(a.cameras.size(), b.cameras.size());
  for (const auto& [id, camera] : a.cameras) {
    EXPECT_EQ(camera.model_id, b.cameras.at(id).model_id);
    EXPECT_EQ(camera.width, b.cameras.at(id).width);
    EXPECT_EQ(camera.height, b.cameras.at(id).height);
    EXPECT_EQ(camera.params, b.cameras.at(id).params);
  }
  ASSERT_EQ(a.images.size(), b.images.size());
  for (const auto& [id, image] : a.images) {
    const ColmapImage& other = b.images.at(id);
    EXPECT_EQ(image.name, other.name);
    EXPECT_EQ(image.camera_id, other.camera_id);
    EXPECT_TRUE(image.camera_from_world.rotation.isApprox(
        other.camera_from_world.rotation, 1e-15));
    EXPECT_EQ(image.camera_from_world.translation,
              other.camera_from_world.translation);
    ASSERT_EQ(image.observations.size(), other.observations.size());
    for (size_t k = 0; k < image.observations.size(); ++k) {
      EXPECT_EQ(image.observations[k].xy, other.observations[k].xy);
      EXPECT_EQ(image.observations[k].point3d_id,
                other.observations[k].point3d_id);
    }
  }
  ASSERT_EQ(a.points.size(), b.points.size());
  for (const auto& [id, point] : a.points) {
    const ColmapPoint& other = b.points.at(id);
    EXPECT_EQ(point.xyz, other.xyz);
    EXPECT_TRUE(std::equal(point.rgb, point.rgb + 3, other.rgb));
    EXPECT_EQ(point.error, other.error);
    ASSERT_EQ(point.track.size(), other.track.size());
    for (size_t k = 0; k < point.track.size(); ++k) {
      EXPECT_EQ(point.track[k].image_id, other.track[k].image_id);
      EXPECT_EQ(point.track[k].observation, other.track[k].observation);
    }
  }
}

TEST_F(ColmapModelTest, BothEncodingsReturnWhatWasWritten) {
  const ColmapModel model = ExampleModel();
  WriteColmapModel(model, folder_ / "0");
  ExpectEqual(model, ReadColmapModel(folder_ / "0"));
  for (const char* name : {"cameras.bin", "images.bin", "points3D.bin"}) {
    fs::remove(folder_ / "0" / name);
  }
  ExpectEqual(model, ReadColmapModel(folder_ / "0"));
}

TEST_F(ColmapModelTest, KnowsElevenCameraModels) {
  ColmapModel model;
  for (int id = 0; id <= 10; ++id) {
    std::vector<double> params;
    for (int k = 0; k < FindColmapCameraModel(id)->num_params; ++k) {
      params.push_back(1.5 + k / 7.0);
    }
    // Gaps, and no camera has the number of its model.
    model.cameras[3 * id + 100] = {id, 10 + id, 2000 - id, params};
  }
  EXPECT_EQ(FindColmapCameraModel(11), nullptr);
  WriteColmapModel(model, folder_);
  ExpectEqual(model, ReadColmapModel(folder_));
  fs::remove(folder_ / "cameras.bin");
  ExpectEqual(model, ReadColmapModel(folder_));
}

constexpr char kCameras[] =
    "# Camera list with one line of data per camera:\n"
    "1 SIMPLE_PINHOLE 8 6 4 4 3\n";
constexpr char kImages[] =
    "# Image list with two lines of data per image:\n"
    "#   IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME\n"
    "3 2 0 0 0 0 0 1 1 second one.jpg\r\n"
    "4 3 8 6 5 -1\r\n"
    "1 0 1 0 0 0 0 2 1 first.jpg\n"
    "\n";
constexpr char kPoints[] = "8 0.5 0 1 1 2 255 0.125 3 0\n\n";

TEST_F(ColmapModelTest, ReadsTextAsColmapWritesIt) {
  Write("cameras.txt", kCameras);
  Write("images.txt", kImages);
  Write("points3D.txt", kPoints);
  const ColmapModel model = ReadColmapModel(folder_);
  EXPECT_EQ(model.images.at(3).name, "second one.jpg");
  EXPECT_EQ(model.images.at(3).observations.at(1).point3d_id, -1);
  // Quaternions need not have unit length.
  EXPECT_EQ(model.images.at(3).camera_from_world.rotation,
            Eigen::Matrix3d::Identity());
  EXPECT_TRUE(model.images.at(1).observations.empty());
  EXPECT_EQ(model.images.at(1).camera_from_world * Eigen::Vector3d(1, 1, 1),
            Eigen::Vector3d(1, -1, 1));
  EXPECT_EQ(model.points.at(8).rgb[2], 255);
  // Projected to (4 * 0.5 / 2 + 4, 3) = (5, 3), seen at (4, 3).
  EXPECT_DOUBLE_EQ(MeanReprojectionError(model), 1);
}

TEST_F(ColmapModelTest, PointsMayBeOptional) {
  Write("cameras.txt", kCameras);
  Write("images.txt", kImages);
  EXPECT_THROW(ReadColmapModel(folder_), UserError);
  EXPECT_EQ(ReadColmapModel(folder_, false).images.size(), 2u);
}

TEST_F(ColmapModelTest, ContradictionsAreNamed) {
  using testing::HasSubstr;
  EXPECT_THAT(Failure(), HasSubstr("holds no cameras.bin or .txt"));
  Write("cameras.txt", kCameras);
  EXPECT_THAT(Failure(), HasSubstr("holds no images.bin or .txt"));
  Write("images.txt", kImages);
  Write("points3D.txt", "8 0.5 0 1 1 2 255 0.125 3 2\n");
  EXPECT_THAT(Failure(), HasSubstr("point 8 was seen in image 3"));
  Write("points3D.txt", "8 0.5 0 1 1 2 256 0.125 3 0\n");
  EXPECT_THAT(Failure(), HasSubstr("line 1 has '256' for the colour"));
  Write("images.txt", "1 1 0 0 0 0 0 2 5 a.jpg\n\n");
  EXPECT_THAT(Failure(), HasSubstr("'a.jpg' uses camera 5"));
  Write("images.txt", "1 0 0 0 0 0 0 2 1 a.jpg\n\n");
  EXPECT_THAT(Failure(), HasSubstr("'a.jpg') has no valid pose"));
  Write("images.txt", "1 1 0 0 0 0 0 2 1 a.jpg\n\n2 1 0 0 0 0 0 2 1 a.jpg\n\n");
  EXPECT_THAT(Failure(), HasSubstr("two images are named 'a.jpg'"));
  Write("cameras.txt", "1 EQUIRECTANGULAR 8 6 4\n");
  EXPECT_THAT(Failure(), HasSubstr("unknown camera model 'EQUIRECTANGULAR'"));
  Write("cameras.txt", "1 PINHOLE 8 6 4 nan 4 3\n");
  EXPECT_THAT(Failure(), HasSubstr("camera 1 has a parameter"));
  Write("cameras.txt", "1 PINHOLE 8 6 4 1e999 4 3\n");
  EXPECT_THAT(Failure(), HasSubstr("line 1 has '1e999'"));
  Write("cameras.txt", "1 PINHOLE 8 0 4 4 4 3\n");
  EXPECT_THAT(Failure(), HasSubstr("camera 1 has size 8 x 0"));
}

TEST_F(ColmapModelTest, RecordsThatCannotBeAreNamed) {
  struct Case {
    const char* file;
    const char* content;
    const char* problem;
  };
  for (const Case& bad : {
           Case{"cameras", "1 PINHOLE 1000001 6 4 4 4 3\n", "1000001 x 6"},
           {"cameras", "1 PINHOLE -8 6 4 4 4 3\n", "size -8 x 6"},
           {"cameras", "1 PINHOLE 8 6 0 4 4 3\n", "focal length"},
           {"cameras", "1 PINHOLE 8 6 4 -4 4 3\n", "focal length"},
           {"cameras", "1 SIMPLE_RADIAL 8 6 0 4 3 0\n", "focal length"},
           {"cameras", "1 PINHOLE 8 6 4 4 4\n", "ends before"},
           {"cameras", "1 PINHOLE 8 6 4 4 4 3 2\n", "too many camera"},
           {"cameras",
            "1 PINHOLE 8 6 4 4 4 3\n\n# x\n1 PINHOLE 8 6 4 4 4 3\n",
            "camera 1 appears twice"},
           {"images", "3 1 0 0 0 0 0 1 1 \n\n", "image 3 has no name"},
           {"images",
            "3 1 0 0 0 0 0 nan 1 a\n\n",
            "image 3 ('a') has no valid pose"},
           {"images", "3 1 0 0 0 0 0 1 1 a\n", "ends before the observations"},
           {"images", "3 1 0 0 0 0 0 1 1 a\n1 2\n", "line 2 ends before"},
           {"images",
            "3 1 0 0 0 0 0 1 1 a\n1 inf -1\n",
            "an observation that is not a number"},
           {"images",
            "3 1 0 0 0 0 0 1 1 a\n\n3 1 0 0 0 0 0 1 1 b\n\n",
            "image 3 appears twice"},
           {"points3D", "8 0 nan 1 1 2 3 0 3 0\n", "point 8 has a value"},
           {"points3D", "8 0 0 1 1 2 3 inf 3 0\n", "point 8 has a value"},
           {"points3D", "8 0 0 1 1 2 3 0 3\n", "line 1 ends before"},
           {"points3D", "8 0 0 1 1 2 3 0 4 0\n", "seen in image 4"},
           {"points3D",
            "8 0 0 1 1 2 3 0 3 0\n8 0 0 1 1 2 3 0 3 0\n",
            "point 8 appears twice"},
       }) {
    Write("cameras.txt", kCameras);
    Write("images.txt", kImages);
    Write("points3D.txt", kPoints);
    Write(std::string(bad.file) + ".txt", bad.content);
    EXPECT_THAT(Failure(), testing::HasSubstr(bad.problem)) << bad.content;
    EXPECT_THAT(Failure(), testing::HasSubstr(bad.file));
  }
  // Too small for a double.
  Write("points3D.txt", "8 1e-400 0 1 1 2 3 0 3 0\n");
  EXPECT_EQ(ReadColmapModel(folder_).points.at(8).xyz.x(), 0);
}

TEST_F(ColmapModelTest, BinaryIsPreferredWhereItIsWhole) {
  Write("cameras.txt", kCameras);
  Write("images.txt", kImages);
  Write("points3D.txt", kPoints);
  WriteColmapModel(ExampleModel(), folder_ / "binary");
  fs::copy_file(folder_ / "binary/cameras.bin", folder_ / "cameras.bin");
  EXPECT_EQ(ReadColmapModel(folder_).images.size(), 2u);
  fs::copy_file(folder_ / "binary/images.bin", folder_ / "images.bin");
  EXPECT_EQ(ReadColmapModel(folder_, false).images.size(), 3u);
  EXPECT_THROW(ReadColmapModel(folder_), UserError);
}

TEST_F(ColmapModelTest, WhereNothingCanBeWrittenIsTold) {
  Write("file", "x");
  try {
    WriteColmapModel(ExampleModel(), folder_ / "file" / "0");
    FAIL() << "written";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("cannot write"));
  }
}

}  // namespace
}  // namespace nerfpipe
