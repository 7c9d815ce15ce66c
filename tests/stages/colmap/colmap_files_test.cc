// COLMAP itself as the judge of the files that we write and read without it.

#include "stages/common/colmap_camera_models.h"
#include "stages/common/colmap_model.h"
#include "tests/stages/common/scene_model.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include <colmap/scene/camera.h>
#include <colmap/scene/reconstruction.h>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

namespace fs = std::filesystem;

ColmapModel Scene() { return SceneModel(IrregularCameras(), false); }

void ExpectSame(const colmap::Reconstruction& theirs, const ColmapModel& ours) {
  ASSERT_EQ(theirs.NumCameras(), ours.cameras.size());
  for (const auto& [id, camera] : ours.cameras) {
    EXPECT_EQ(static_cast<int>(theirs.Camera(id).model_id), camera.model_id);
    EXPECT_EQ(theirs.Camera(id).params, camera.params);
    EXPECT_EQ(static_cast<int64_t>(theirs.Camera(id).width), camera.width);
    EXPECT_EQ(static_cast<int64_t>(theirs.Camera(id).height), camera.height);
  }
  ASSERT_EQ(theirs.NumRegImages(), ours.images.size());
  for (const auto& [id, image] : ours.images) {
    const colmap::Image& other = theirs.Image(id);
    EXPECT_EQ(other.Name(), image.name);
    EXPECT_EQ(other.CameraId(), image.camera_id);
    EXPECT_TRUE(other.CamFromWorld().rotation.toRotationMatrix().isApprox(
        image.camera_from_world.rotation, 1e-12));
    EXPECT_EQ(other.CamFromWorld().translation,
              image.camera_from_world.translation);
    ASSERT_EQ(other.NumPoints2D(), image.observations.size());
    for (size_t k = 0; k < image.observations.size(); ++k) {
      const auto& seen = other.Point2D(static_cast<colmap::point2D_t>(k));
      EXPECT_EQ(seen.xy, image.observations[k].xy);
      EXPECT_EQ(seen.HasPoint3D(), image.observations[k].point3d_id >= 0);
      if (!seen.HasPoint3D()) continue;
      EXPECT_EQ(static_cast<int64_t>(seen.point3D_id),
                image.observations[k].point3d_id);
    }
  }
  ASSERT_EQ(theirs.NumPoints3D(), ours.points.size());
  for (const auto& [id, point] : ours.points) {
    const colmap::Point3D& other = theirs.Point3D(id);
    EXPECT_EQ(other.xyz, point.xyz);
    EXPECT_EQ(other.error, point.error);
    for (int c = 0; c < 3; ++c) EXPECT_EQ(other.color[c], point.rgb[c]);
    ASSERT_EQ(other.track.Length(), point.track.size());
    for (size_t k = 0; k < point.track.size(); ++k) {
      EXPECT_EQ(other.track.Element(k).image_id, point.track[k].image_id);
      EXPECT_EQ(other.track.Element(k).point2D_idx, point.track[k].observation);
    }
  }
}

TEST(ColmapFiles, ColmapReadsWhatWeWrite) {
  const TemporaryFolder folder;
  WriteColmapModel(Scene(), folder);
  colmap::Reconstruction binary;
  binary.ReadBinary(folder.path().string());
  ExpectSame(binary, Scene());
  // COLMAP's text has no names with spaces.
  ColmapModel model = Scene();
  for (auto& [id, image] : model.images) {
    std::replace(image.name.begin(), image.name.end(), ' ', '_');
  }
  WriteColmapModel(model, folder);
  colmap::Reconstruction text;
  text.ReadText(folder.path().string());
  ExpectSame(text, model);
}

TEST(ColmapFiles, WeReadWhatColmapWrites) {
  const TemporaryFolder folder;
  WriteColmapModel(Scene(), folder);
  colmap::Reconstruction theirs;
  theirs.ReadBinary(folder.path().string());
  for (const bool binary : {true, false}) {
    const fs::path again = folder / (binary ? "binary" : "text");
    fs::create_directories(again);
    binary ? theirs.WriteBinary(again.string())
           : theirs.WriteText(again.string());
    ExpectSame(theirs, ReadColmapModel(again));
  }
}

TEST(ColmapFiles, CameraModelsAreColmaps) {
  for (int id = 0; id <= 10; ++id) {
    const ColmapCameraModel& ours = *FindColmapCameraModel(id);
    const auto theirs = static_cast<colmap::CameraModelId>(id);
    EXPECT_EQ(ours.id, id);
    EXPECT_EQ(ours.name, colmap::CameraModelIdToName(theirs));
    EXPECT_EQ(FindColmapCameraModel(ours.name), &ours);
    EXPECT_EQ(static_cast<size_t>(ours.num_params),
              colmap::CameraModelNumParams(theirs));
    EXPECT_EQ(ours.single_focal,
              colmap::CameraModelFocalLengthIdxs(theirs).size() == 1);
    EXPECT_EQ(ours.distorted,
              colmap::CameraModelExtraParamsIdxs(theirs).size() > 0);
    // Focal lengths come first, then the principal point.
    const auto centre = colmap::CameraModelPrincipalPointIdxs(theirs);
    EXPECT_EQ(centre[0], ours.single_focal ? 1u : 2u);
  }
  EXPECT_EQ(FindColmapCameraModel(11), nullptr);
  EXPECT_EQ(FindColmapCameraModel(-1), nullptr);
  EXPECT_EQ(FindColmapCameraModel("pinhole"), nullptr);
}

TEST(MeanReprojectionError, IsColmaps) {
  const TemporaryFolder folder;
  ColmapModel model = Scene();
  // Points in no picture's plane, and observations moved about.
  for (auto& [id, image] : model.images) {
    for (size_t k = 0; k < image.observations.size(); ++k) {
      const double by = 0.3 * static_cast<double>(k % 7);
      image.observations[k].xy += Eigen::Vector2d(by, -0.5 * by * by);
    }
  }
  WriteColmapModel(model, folder);
  colmap::Reconstruction theirs;
  theirs.ReadBinary(folder.path().string());
  theirs.UpdatePoint3DErrors();
  double sum = 0;
  size_t count = 0;
  for (const auto& [id, point] : theirs.Points3D()) {
    sum += point.error * static_cast<double>(point.track.Length());
    count += point.track.Length();
  }
  EXPECT_NEAR(
      MeanReprojectionError(model), sum / static_cast<double>(count), 1e-9);
}

}  // namespace
}  // namespace nerfpipe::sfm
