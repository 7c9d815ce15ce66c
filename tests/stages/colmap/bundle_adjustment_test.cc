#include "stages/colmap/mapping/bundle_adjustment.h"

#include "stages/colmap/mapping/lens.h"

#include <cmath>
#include <vector>

#include <colmap/estimators/bundle_adjustment.h>
#include <colmap/math/random.h>
#include <colmap/scene/camera.h>
#include <colmap/scene/synthetic.h>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

struct Model {
  int id;
  std::vector<double> params;
};

// Pixels that are not square and centres that are not the middle.
const Model kModels[] = {{0, {703, 331, 227}},
                         {1, {712, 653, 331, 227}},
                         {2, {703, 331, 227, -0.08}},
                         {3, {703, 331, 227, -0.08, 0.03}},
                         {4, {712, 653, 331, 227, -0.08, 0.03, 0.004, -0.002}},
                         {9, {703, 331, 227, -0.08, 0.03}}};

TEST(Lens, ProjectsAsColmapDoes) {
  for (const Model& model : kModels) {
    colmap::Camera camera;
    camera.model_id = static_cast<colmap::CameraModelId>(model.id);
    camera.params = model.params;
    const Eigen::Vector3d p(0.4, -0.7, 1.9);
    const Eigen::Vector2d expected = camera.ImgFromCam(p.hnormalized());
    const Lens lens(model.id, model.params);
    Lens::Derivatives unused;
    EXPECT_LT((lens.Project(p) - expected).norm(), 1e-9) << model.id;
    EXPECT_LT((lens.Project(p, &unused) - expected).norm(), 1e-9) << model.id;
  }
}

TEST(Lens, DerivativesAreTheSlopes) {
  constexpr double kStep = 1e-6;
  const Eigen::Vector3d p(0.4, -0.7, 1.9);
  for (const Model& model : kModels) {
    const Lens lens(model.id, model.params);
    Lens::Derivatives d;
    lens.Project(p, &d);
    for (int i = 0; i < 3; ++i) {
      const Eigen::Vector3d step = kStep * Eigen::Vector3d::Unit(i);
      const Eigen::Vector2d slope =
          (lens.Project(p + step) - lens.Project(p - step)) / (2 * kStep);
      EXPECT_LT((d.by_point.col(i) - slope).norm(), 1e-5) << model.id;
    }
    for (int i = 0; i < lens.Free(); ++i) {
      const Eigen::VectorXd step =
          kStep * Eigen::VectorXd::Unit(lens.Free(), i);
      Lens more = lens;
      Lens less = lens;
      more.Change(step);
      less.Change(-step);
      const Eigen::Vector2d slope =
          (more.Project(p) - less.Project(p)) / (2 * kStep);
      EXPECT_LT((d.by_lens.col(i) - slope).norm(), 1e-5) << model.id;
    }
  }
}

// Twelve cameras around 150 points, half a pixel of noise in the pictures and
// everything moved off its place. Some points are seen twice by one camera.
colmap::Reconstruction Disturbed(const Model& model) {
  colmap::SetPRNGSeed(4);
  colmap::SyntheticDatasetOptions options;
  options.num_cameras = 1;
  options.num_images = 12;
  options.num_points3D = 150;
  options.camera_width = 641;
  options.camera_height = 479;
  options.camera_model_id = static_cast<colmap::CameraModelId>(model.id);
  options.camera_params = model.params;
  options.point2D_stddev = 0.5;
  colmap::Reconstruction result;
  colmap::SynthesizeDataset(options, &result);
  const auto noise = [](double size) {
    return Eigen::Vector3d(colmap::RandomUniformReal(-size, size),
                           colmap::RandomUniformReal(-size, size),
                           colmap::RandomUniformReal(-size, size));
  };
  for (const colmap::image_t id : result.RegImageIds()) {
    result.Image(id).CamFromWorld().translation += noise(0.02);
  }
  for (const auto& [id, point] : result.Points3D()) {
    result.Point3D(id).xyz += noise(0.02);
  }
  for (auto& point : result.Image(1).Points2D()) {
    if (!point.HasPoint3D()) {
      result.AddObservation(result.Image(1).Point2D(0).point3D_id,
                            {1,
                             static_cast<colmap::point2D_t>(
                                 &point - result.Image(1).Points2D().data())});
      point.xy = result.Image(1).Point2D(0).xy + Eigen::Vector2d(0.3, -0.4);
      break;
    }
  }
  return result;
}

// Half the sum of squared pixels, or of Cauchy's loss of this scale.
double Cost(const colmap::Reconstruction& model, double scale) {
  double sum = 0;
  for (const auto& [id, point] : model.Points3D()) {
    for (const colmap::TrackElement& seen : point.track.Elements()) {
      const colmap::Image& image = model.Image(seen.image_id);
      const double squared =
          (model.Camera(image.CameraId())
               .ImgFromCam((image.CamFromWorld() * point.xyz).hnormalized()) -
           image.Point2D(seen.point2D_idx).xy)
              .squaredNorm();
      sum += scale == 0 ? squared
                        : scale * scale * std::log1p(squared / (scale * scale));
    }
  }
  return sum / 2;
}

// As COLMAP does it with Ceres; 0: without a loss.
void AdjustWithCeres(double loss_scale, colmap::Reconstruction* model) {
  colmap::BundleAdjustmentOptions options;
  options.print_summary = false;
  options.solver_options.function_tolerance = 1e-12;
  if (loss_scale > 0) {
    options.loss_function_type =
        colmap::BundleAdjustmentOptions::LossFunctionType::CAUCHY;
    options.loss_function_scale = loss_scale;
  }
  colmap::BundleAdjustmentConfig config;
  for (const colmap::image_t id : model->RegImageIds()) config.AddImage(id);
  config.SetConstantCamPose(1);
  config.SetConstantCamPositions(2, {0});
  colmap::BundleAdjuster(options, config).Solve(model);
}

void ExpectCeres(const Model& model,
                 double loss_scale,
                 colmap::Reconstruction ours) {
  colmap::Reconstruction theirs = ours;
  AdjustmentOptions options;
  options.least_gain = 1e-12;
  options.loss_scale = loss_scale;
  const double before = Cost(ours, loss_scale);
  const AdjustmentResult result = AdjustBundle(options, &ours);
  EXPECT_NEAR(result.cost_before, before, 1e-6 * before);
  EXPECT_NEAR(
      result.cost_after, Cost(ours, loss_scale), 1e-6 * result.cost_after);
  AdjustWithCeres(loss_scale, &theirs);
  EXPECT_NEAR(
      result.cost_after, Cost(theirs, loss_scale), 1e-5 * result.cost_after);
  for (size_t i = 0; i < model.params.size(); ++i) {
    EXPECT_NEAR(ours.Camera(1).params[i],
                theirs.Camera(1).params[i],
                1e-4 * std::abs(model.params[0]))
        << i;
  }
}

TEST(AdjustBundle, EndsWhereColmapEnds) {
  for (const Model& model : kModels) {
    SCOPED_TRACE(model.id);
    ExpectCeres(model, 0, Disturbed(model));
  }
}

void AddOutliers(colmap::Reconstruction* model) {
  for (int i = 0; i < 20; ++i) {
    model->Image(1 + i % 12).Point2D(3 * i).xy += Eigen::Vector2d(40, -25);
  }
}

TEST(AdjustBundle, EndsWhereColmapEndsWithOutliersUnderALoss) {
  for (const Model& model : {kModels[0], kModels[4]}) {
    SCOPED_TRACE(model.id);
    colmap::Reconstruction start = Disturbed(model);
    AddOutliers(&start);
    ExpectCeres(model, 0.5, std::move(start));
  }
}

// Every third image through a lens of its own, of another kind and length.
TEST(AdjustBundle, SeveralLensesEndWhereColmapEnds) {
  colmap::Reconstruction ours = Disturbed(kModels[3]);
  colmap::Camera second = ours.Camera(1);
  second.camera_id = 7;
  second.model_id = static_cast<colmap::CameraModelId>(kModels[1].id);
  second.params = {1123, 1040, 331, 227};
  ours.AddCamera(second);
  for (const colmap::image_t id : ours.RegImageIds()) {
    if (id % 3 != 0) continue;
    colmap::Image& image = ours.Image(id);
    for (colmap::Point2D& point : image.Points2D()) {
      point.xy = second.ImgFromCam(ours.Camera(1).CamFromImg(point.xy));
    }
    image.SetCameraId(7);
  }
  colmap::Reconstruction theirs = ours;
  AdjustmentOptions options;
  options.least_gain = 1e-12;
  const AdjustmentResult result = AdjustBundle(options, &ours);
  AdjustWithCeres(0, &theirs);
  EXPECT_NEAR(result.cost_after, Cost(theirs, 0), 1e-5 * result.cost_after);
  for (const colmap::camera_t id : {1, 7}) {
    EXPECT_NEAR(ours.Camera(id).params[0], theirs.Camera(id).params[0], 0.05);
  }
}

// Of a truth whose pixels are square as well as of one whose are not.
TEST(AdjustBundle, SquarePixelsStaySquare) {
  for (const int model : {1, 4}) {
    colmap::Reconstruction found = Disturbed(kModels[model]);
    AdjustmentOptions options;
    options.square_pixels = true;
    EXPECT_EQ(AdjustBundle(options, &found).aspect_deviation, 0);
    const std::vector<double>& params = found.Camera(1).params;
    EXPECT_EQ(params[0], params[1]);
    EXPECT_GT(params[0], 653);
    EXPECT_LT(params[0], 712);
  }
}

// By the spread of what many draws of the noise come to.
TEST(AdjustBundle, TellsHowWellTheAspectIsHeld) {
  std::vector<double> aspects;
  double told = 0;
  colmap::Reconstruction model = Disturbed(kModels[1]);
  AdjustmentOptions options;
  options.least_gain = 1e-10;
  AdjustBundle(options, &model);
  colmap::SetPRNGSeed(8);
  constexpr int kDraws = 60;
  constexpr double kNoise = 0.5;
  for (int draw = 0; draw < kDraws; ++draw) {
    colmap::Reconstruction noisy = model;
    for (const colmap::image_t id : noisy.RegImageIds()) {
      colmap::Image& image = noisy.Image(id);
      for (colmap::Point2D& point : image.Points2D()) {
        if (!point.HasPoint3D()) continue;
        const auto seen = noisy.Camera(1).ImgFromCam(
            (image.CamFromWorld() * noisy.Point3D(point.point3D_id).xyz)
                .hnormalized());
        point.xy = seen + Eigen::Vector2d(colmap::RandomGaussian(0.0, kNoise),
                                          colmap::RandomGaussian(0.0, kNoise));
      }
    }
    told = AdjustBundle(options, &noisy).aspect_deviation;
    const std::vector<double>& params = noisy.Camera(1).params;
    aspects.push_back(params[1] / params[0]);
  }
  double mean = 0;
  for (const double aspect : aspects) mean += aspect / kDraws;
  double variance = 0;
  for (const double aspect : aspects) {
    variance += (aspect - mean) * (aspect - mean) / (kDraws - 1);
  }
  EXPECT_NEAR(kNoise * told, std::sqrt(variance), 0.3 * kNoise * told);
}

TEST(AdjustBundle, OutliersWeighLittleUnderALoss) {
  colmap::Reconstruction model = Disturbed(kModels[0]);
  const std::vector<double> truth = kModels[0].params;
  AddOutliers(&model);
  colmap::Reconstruction squares = model;
  AdjustmentOptions options;
  AdjustBundle(options, &squares);
  options.loss_scale = 0.5;
  AdjustBundle(options, &model);
  EXPECT_LT(std::abs(model.Camera(1).params[0] - truth[0]),
            std::abs(squares.Camera(1).params[0] - truth[0]) / 3);
}

TEST(AdjustBundle, TheNumberOfThreadsChangesNothing) {
  colmap::Reconstruction one = Disturbed(kModels[4]);
  colmap::Reconstruction four = one;
  AdjustmentOptions options;
  AdjustBundle(options, &one);
  options.threads = 4;
  AdjustBundle(options, &four);
  EXPECT_EQ(one.Camera(1).params, four.Camera(1).params);
  for (const colmap::image_t id : one.RegImageIds()) {
    EXPECT_EQ(one.Image(id).CamFromWorld().translation,
              four.Image(id).CamFromWorld().translation);
  }
}

}  // namespace
}  // namespace nerfpipe::sfm
