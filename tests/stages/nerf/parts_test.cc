// The exact parts of both methods against numbers from numpy, in double
// precision (tests/reference/nerf_reference.py).

#include "stages/nerf/adam.h"
#include "stages/nerf/compositing.h"
#include "stages/nerf/encoding.h"
#include "stages/nerf/rays.h"
#include "stages/nerf/sampling.h"
#include "tests/reference/nerf_reference.h"

#include <gtest/gtest.h>

namespace nerfpipe::nerf {
namespace {

torch::Tensor Matrix(const std::vector<double>& values,
                     std::vector<int64_t> shape) {
  return torch::tensor(torch::ArrayRef<double>(values), torch::kFloat64)
      .view(shape);
}

void ExpectNear(const torch::Tensor& actual,
                const std::vector<double>& expected,
                double tolerance = 1e-12) {
  const torch::Tensor flat = actual.contiguous().view({-1});
  ASSERT_EQ(flat.size(0), static_cast<int64_t>(expected.size()));
  ASSERT_EQ(flat.dtype(), torch::kFloat64);
  for (int64_t i = 0; i < flat.size(0); ++i) {
    EXPECT_NEAR(flat[i].item<double>(), expected[i], tolerance) << "at " << i;
  }
}

TEST(EncodingTest, Frequencies) {
  ExpectNear(FrequencyEncode(Matrix(reference::kFrequencyInput, {2, 3}), 4),
             reference::kFrequency);
}

TEST(EncodingTest, SphericalHarmonics) {
  ExpectNear(SphericalHarmonics4(Matrix(reference::kDirections, {3, 3})),
             reference::kHarmonics);
}

TEST(EncodingTest, ContractionIsOfTheMaxNorm) {
  ExpectNear(Contract(Matrix(reference::kContractInput, {5, 3})),
             reference::kContracted);
}

TEST(SamplingTest, StratifiedInDepthAndInDisparity) {
  const torch::Tensor near = Matrix(reference::kNear, {2});
  const torch::Tensor far = Matrix(reference::kFar, {2});
  const torch::Tensor u = Matrix(reference::kUniforms, {2, 5});
  ExpectNear(StratifiedDepths(near, far, 5, false, u), reference::kStratified);
  ExpectNear(StratifiedDepths(near, far, 5, true, u),
             reference::kStratifiedDisparity);
}

TEST(SamplingTest, WithoutRandomNumbersSamplesReachBothEnds) {
  const torch::Tensor depths =
      StratifiedDepths(torch::tensor({1.0}, torch::kFloat64),
                       torch::tensor({4.0}, torch::kFloat64),
                       4,
                       /*lindisp=*/true);
  ExpectNear(depths, {1, 1 / 0.75, 2, 4});
}

TEST(SamplingTest, ImportanceSamplesByInverseCdf) {
  ExpectNear(SamplePdf(Matrix(reference::kEdges, {2, 6}),
                       Matrix(reference::kPdfWeights, {2, 5}),
                       Matrix(reference::kPdfUniforms, {2, 7})),
             reference::kPdfSamples);
}

TEST(CompositingTest, QuadratureWithNoise) {
  const Composited result =
      CompositeSamples(Matrix(reference::kRaw, {2, 5, 4}),
                       Matrix(reference::kDepths, {2, 5}),
                       Matrix(reference::kRayDirections, {2, 3}),
                       Matrix(reference::kNoise, {2, 5}));
  ExpectNear(result.rgb, reference::kRgb);
  ExpectNear(result.weights, reference::kWeights);
}

TEST(AdamTest, StepsWithDecayAndBiasCorrection) {
  torch::Tensor parameter =
      Matrix(reference::kAdamStart, {4}).requires_grad_(true);
  const torch::Tensor gradients = Matrix(reference::kAdamGradients, {3, 4});
  Adam adam({{"p", parameter}}, AdamSettings{0.9, 0.99, 1e-8, 0.01});
  for (int step = 0; step < 3; ++step) {
    parameter.mutable_grad() = gradients[step].clone();
    adam.Step(0.05);
  }
  ExpectNear(parameter.detach(), reference::kAdamEnd);
}

TEST(AdamTest, OnlyRowsWithGradientsMove) {
  const torch::Tensor gradients = Matrix(reference::kAdamGradients, {3, 4});
  torch::Tensor table = torch::zeros({11, 4}, torch::kFloat64);
  table[9] = Matrix(reference::kAdamStart, {4});
  const torch::Tensor still = torch::full({4}, 0.7, torch::kFloat64);
  table[3] = still;
  torch::Tensor second = torch::zeros({11}, torch::kFloat64);
  second[3] = 0.5;
  for (int step = 0; step < 3; ++step) {
    torch::Tensor gradient = torch::zeros_like(table);
    gradient[9] = gradients[step];
    AdamRows(table, gradient, second, 0.05, AdamSettings{0.9, 0.99, 1e-15, 0});
  }
  ExpectNear(table[9], reference::kAdamRowsEnd);
  EXPECT_TRUE(table[3].equal(still));
  EXPECT_EQ(second[3].item<double>(), 0.5);
  EXPECT_EQ(second[9].item<double>() > 0, true);
}

TEST(NdcTest, RaysAndDepths) {
  Rays rays;
  rays.origins = Matrix(reference::kNdcOrigins, {3, 3});
  rays.directions = Matrix(reference::kNdcDirections, {3, 3});
  rays.view_directions = rays.directions;
  rays.near = torch::zeros({3}, torch::kFloat64);
  rays.far = torch::ones({3}, torch::kFloat64);
  const Rays ndc = ToNdc(rays, 1.7, 2.1);
  ExpectNear(torch::cat({ndc.origins, ndc.directions}, 1), reference::kNdcOut);

  // A point at depth 5 of each ray, found again from its place in NDC.
  const torch::Tensor z = (rays.origins + 5 * rays.directions).select(1, 2);
  const torch::Tensor t =
      (1 + 2 / z - ndc.origins.select(1, 2)) / ndc.directions.select(1, 2);
  ExpectNear(DepthFromNdc(rays, t), {5, 5, 5}, 1e-9);
}

}  // namespace
}  // namespace nerfpipe::nerf
