// Packed compositing against a loop, and the selection of samples against
// compositing all of them.

#include "stages/nerf/compositing.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace nerfpipe::nerf {
namespace {

struct Packed {
  torch::Tensor densities;
  torch::Tensor colours;
  PackedSegments segments;
};

// Four rays with 3, 0, 5 and 1 samples.
Packed RandomPacked() {
  torch::manual_seed(3);
  const auto rand = [](int64_t n) { return torch::rand({n}, torch::kFloat64); };
  Packed packed;
  packed.segments.offsets = torch::tensor({0, 3, 3, 8, 9}, torch::kInt64);
  packed.segments.deltas = rand(9);
  packed.segments.gaps = rand(9);
  packed.segments.tails = rand(4);
  packed.segments.boosts = 1 + rand(9);
  packed.densities = rand(9) * 3;
  packed.colours = torch::rand({9, 3}, torch::kFloat64);
  return packed;
}

double MaxDifference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

// With tau = density * delta: d weight_k / d tau_k is the transmittance behind
// k, d weight_j / d tau_k = -weight_j for j > k, and likewise for what is left.
// A boost is a factor on a sample's weight and on all of its gradient.
TEST(PackedCompositeTest, SumsAndGradientsAreThoseOfALoop) {
  const Packed packed = RandomPacked();
  torch::manual_seed(4);
  const torch::Tensor rgb_weights = torch::randn({4, 3}, torch::kFloat64);
  const torch::Tensor left_weights = torch::randn({4}, torch::kFloat64);
  const torch::Tensor densities = packed.densities.clone().requires_grad_(true);
  const torch::Tensor colours = packed.colours.clone().requires_grad_(true);
  const PackedComposite found =
      CompositePacked(densities, colours, packed.segments);
  ((found.rgb * rgb_weights).sum() + (found.transmittance * left_weights).sum())
      .backward();

  const auto at = [](const torch::Tensor& tensor, int64_t i) {
    return tensor[i].item<double>();
  };
  const PackedSegments& segments = packed.segments;
  for (int64_t ray = 0; ray < 4; ++ray) {
    const int64_t begin = segments.offsets[ray].item<int64_t>();
    const int64_t end = segments.offsets[ray + 1].item<int64_t>();
    double left = 1;
    std::vector<double> weights, behind;
    torch::Tensor rgb = torch::zeros({3}, torch::kFloat64);
    for (int64_t k = begin; k < end; ++k) {
      left *= std::exp(-at(segments.gaps, k));
      const double passed =
          std::exp(-at(packed.densities, k) * at(segments.deltas, k));
      weights.push_back(at(segments.boosts, k) * left * (1 - passed));
      left *= passed;
      behind.push_back(left);
      rgb += weights.back() * packed.colours[k];
      EXPECT_NEAR(at(found.weights, k), weights.back(), 1e-12);
    }
    left *= std::exp(-at(segments.tails, ray));
    EXPECT_NEAR(at(found.transmittance, ray), left, 1e-12);
    EXPECT_LT(MaxDifference(found.rgb[ray], rgb), 1e-12);
    double after = left * at(left_weights, ray);
    for (int64_t k = end - 1; k >= begin; --k) {
      const double weight = weights[k - begin];
      const double value =
          (packed.colours[k] * rgb_weights[ray]).sum().item<double>();
      EXPECT_LT(MaxDifference(colours.grad()[k], weight * rgb_weights[ray]),
                1e-12);
      EXPECT_NEAR(at(densities.grad(), k),
                  at(segments.boosts, k) * at(segments.deltas, k) *
                      (behind[k - begin] * value - after),
                  1e-12);
      after += weight * value;
    }
  }
  // Nothing is lost: weights and what is left add up to 1 without gaps.
  PackedSegments dense = packed.segments;
  dense.gaps = torch::zeros_like(dense.gaps);
  dense.tails = torch::zeros_like(dense.tails);
  dense.boosts = torch::Tensor();
  const PackedComposite all =
      CompositePacked(packed.densities, packed.colours, dense);
  EXPECT_LT(
      MaxDifference(SumPerRay(all.weights, dense.offsets) + all.transmittance,
                    torch::ones({4}, torch::kFloat64)),
      1e-12);
}

TEST(PackedCompositeTest, AgreesWithTheQuadratureOfTheOtherMethod) {
  torch::manual_seed(5);
  const torch::Tensor raw = torch::randn({1, 6, 4}, torch::kFloat64);
  const torch::Tensor depths =
      torch::arange(1, 7, torch::kFloat64).view({1, 6});
  const torch::Tensor direction =
      torch::tensor({{0.6, 0.0, 0.8}}, torch::kFloat64);
  const Composited expected = CompositeSamples(raw, depths, direction);
  PackedSegments segments;
  segments.offsets = torch::tensor({0, 6}, torch::kInt64);
  segments.deltas = torch::ones({6}, torch::kFloat64);
  segments.deltas[5] = 1e10;
  segments.gaps = torch::zeros({6}, torch::kFloat64);
  segments.tails = torch::zeros({1}, torch::kFloat64);
  const PackedComposite packed =
      CompositePacked(torch::relu(raw[0].select(1, 3)),
                      torch::sigmoid(raw[0].slice(1, 0, 3)),
                      segments);
  EXPECT_LT(MaxDifference(packed.rgb, expected.rgb), 1e-8);
}

// Against autograd through the definition, ray by ray.
TEST(DistortionTest, GradientIsThatOfTheDefinition) {
  Packed packed = RandomPacked();
  packed.segments.boosts = torch::Tensor();
  torch::manual_seed(5);
  const torch::Tensor distances = torch::rand({9}, torch::kFloat64) * 4;
  // Along each ray ascending.
  for (const auto& [begin, end] : {std::pair(0, 3), std::pair(3, 8)}) {
    torch::Tensor part = distances.slice(0, begin, end);
    part.copy_(std::get<0>(part.sort()));
  }
  const torch::Tensor found = packed.densities.clone().requires_grad_(true);
  const torch::Tensor weights =
      CompositePacked(found.detach(), packed.colours, packed.segments).weights;
  DistortionLoss(found, weights, distances, packed.segments).backward();

  const torch::Tensor expected = packed.densities.clone().requires_grad_(true);
  const torch::Tensor u = distances / (1 + distances);
  torch::Tensor loss = torch::zeros({}, torch::kFloat64);
  for (const auto& [begin, end] :
       {std::pair(0, 3), std::pair(3, 8), std::pair(8, 9)}) {
    torch::Tensor left = torch::ones({}, torch::kFloat64);
    std::vector<torch::Tensor> w;
    for (int i = begin; i < end; ++i) {
      const torch::Tensor before = left * torch::exp(-packed.segments.gaps[i]);
      left = before * torch::exp(-expected[i] * packed.segments.deltas[i]);
      w.push_back(before - left);
    }
    for (int i = begin; i < end; ++i) {
      for (int j = begin; j < end; ++j) {
        loss = loss + w[i - begin] * w[j - begin] * (u[i] - u[j]).abs();
      }
      loss = loss + w[i - begin].square() / 3 * packed.segments.deltas[i] /
                        (1 + distances[i]).square();
    }
  }
  loss.backward();
  EXPECT_GT(expected.grad().abs().max().item<double>(), 1e-4);
  EXPECT_LT(MaxDifference(found.grad(), expected.grad()), 1e-12);
}

TEST(SelectSamplesTest, DroppedSamplesStillTakeTheirLight) {
  const torch::Tensor densities =
      torch::tensor({0.001f, 5.0f, 0.002f, 40.0f, 3.0f, 0.0f, 1.0f});
  const torch::Tensor deltas = torch::full({7}, 0.25f);
  const torch::Tensor offsets = torch::tensor({0, 5, 7}, torch::kInt64);
  const Selection selection =
      SelectSamples(densities, deltas, offsets, 1e-2, 1e-4);
  // Faint: 0, 2, 5. Behind the opaque one: 4.
  EXPECT_TRUE(selection.index.equal(torch::tensor({1, 3, 6}, torch::kInt64)));
  EXPECT_TRUE(selection.segments.offsets.equal(
      torch::tensor({0, 2, 3}, torch::kInt64)));

  PackedSegments all;
  all.offsets = offsets;
  all.deltas = deltas;
  all.gaps = torch::zeros({7});
  all.tails = torch::zeros({2});
  const torch::Tensor white = torch::ones({7, 3});
  const PackedComposite full = CompositePacked(densities, white, all);
  const PackedComposite kept =
      CompositePacked(densities.index_select(0, selection.index),
                      white.index_select(0, selection.index),
                      selection.segments);
  EXPECT_LT(MaxDifference(full.transmittance, kept.transmittance), 1e-6);
  EXPECT_LT(MaxDifference(full.weights.index_select(0, selection.index),
                          kept.weights),
            1e-6);
}

// A thousand turns of the wheel: colour and density's slope keep their mean.
TEST(SelectSamplesTest, RouletteKeepsTheMean) {
  constexpr int64_t kRays = 1000;
  const torch::Tensor densities =
      torch::tensor({0.05f, 0.2f, 0.02f, 0.6f, 3.0f, 0.1f}).repeat({kRays});
  const torch::Tensor deltas = torch::full({6 * kRays}, 0.25f);
  const torch::Tensor colours =
      torch::linspace(0.1, 1, 18).view({6, 3}).repeat({kRays, 1});
  const torch::Tensor offsets = 6 * torch::arange(kRays + 1);
  const auto run = [&](const Roulette& roulette) {
    const Selection selection =
        SelectSamples(densities, deltas, offsets, 0, 0, roulette);
    const torch::Tensor chosen =
        densities.index_select(0, selection.index).requires_grad_(true);
    const PackedComposite composite = CompositePacked(
        chosen, colours.index_select(0, selection.index), selection.segments);
    composite.rgb.sum().backward();
    const torch::Tensor slopes = torch::zeros({6}).index_add(
        0, selection.index.remainder(6), chosen.grad());
    return std::make_tuple(selection.index.size(0) / double{kRays},
                           composite.rgb.mean(0),
                           slopes / double{kRays});
  };
  const torch::Tensor chances =
      (torch::arange(kRays) + 0.5) / static_cast<double>(kRays);
  const auto [all, rgb, slopes] = run({});
  const auto [kept, mean_rgb, mean_slopes] = run({0.1, chances});
  EXPECT_DOUBLE_EQ(all, 6);
  EXPECT_LT(kept, 4);
  EXPECT_LT(MaxDifference(rgb, mean_rgb), 1e-3);
  EXPECT_LT(MaxDifference(slopes, mean_slopes), 2e-2);
}

}  // namespace
}  // namespace nerfpipe::nerf
