// Each kernel against plain loops in double precision.

#include "stages/nerf/kernels/adam.h"
#include "stages/nerf/kernels/composite.h"
#include "stages/nerf/kernels/encode.h"
#include "stages/nerf/kernels/march.h"
#include "stages/nerf/kernels/mlp.h"
#include "tests/stages/nerf/kernels/reference.h"
#include "tests/stages/nerf/kernels/simd_levels.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace nerfpipe::nerf::kernels {
namespace {

using reference::Doubles;

// 2^13 rows: one dense level, seven hashed ones.
constexpr NgpShape kShape = {.log2_table = 13, .finest_resolution = 512};

// 103 is no multiple of any vector or tile.
constexpr size_t kCount = 103;

std::vector<float> Uniform(std::mt19937& random,
                           size_t count,
                           float low,
                           float high) {
  std::uniform_real_distribution<float> uniform(low, high);
  std::vector<float> values(count);
  for (float& value : values) value = uniform(random);
  return values;
}

TEST(ShapeTest, LevelsFollowTheRule) {
  for (const NgpShape& shape :
       {kShape,
        NgpShape{.log2_table = 19, .finest_resolution = 2048},
        NgpShape{.log2_table = 17, .finest_resolution = 1024}}) {
    const GridLevels levels = MakeGridLevels(shape);
    const auto expected = reference::Levels(shape);
    for (int l = 0; l < kLevels; ++l) {
      EXPECT_NEAR(levels[l].scale, expected[l].scale, 1e-4);
      EXPECT_EQ(levels[l].resolution, expected[l].resolution);
      EXPECT_EQ(levels[l].first_row, expected[l].first_row);
      EXPECT_EQ(levels[l].rows, expected[l].rows);
      EXPECT_EQ(levels[l].hashed, expected[l].hashed);
    }
  }
}

TEST(EncodeTest, OutputsAndGradients) {
  std::mt19937 random(1);
  reference::Parameters parameters(kShape);
  parameters.Randomise(random);
  const GridLevels levels = MakeGridLevels(kShape);
  const auto plain_levels = reference::Levels(kShape);
  std::vector<float> xyz[3];
  for (auto& axis : xyz) {
    axis = Uniform(random, kCount, 0, 1);
    axis[0] = 0;  // both ends of the cube
    axis[1] = 1;
    axis.resize(kCount + 16);
  }
  const Points points = {xyz[0].data(), xyz[1].data(), xyz[2].data()};
  const auto at = [&](size_t i) {
    return std::array<double, 3>{xyz[0][i], xyz[1][i], xyz[2][i]};
  };
  const std::vector<float> slopes = Uniform(random, kCount * kFeatures, -1, 1);
  AtEverySimdLevel([&] {
    std::vector<float> inputs(kCount * kInputs);
    std::vector<Half> halves(parameters.tensors.table.size());
    RoundRows(parameters.tensors.table.data(),
              halves.size() / kFeatures,
              halves.data());
    EncodePoints(levels, halves.data(), points, kCount, inputs.data());
    double worst = 0;
    for (size_t i = 0; i < kCount; ++i) {
      const Doubles expected =
          reference::Encode(plain_levels, parameters.tensors.table, at(i));
      for (int f = 0; f < kInputs; ++f) {
        worst =
            std::max(worst, std::abs(inputs[i * kInputs + f] - expected[f]));
      }
    }
    // A place at resolution 512 has 2^-15 of a cell to spare in float.
    EXPECT_LT(worst, 3e-4);

    for (const int l : {0, 1, 7}) {
      const size_t rows = levels[l].rows;
      std::vector<float> gradients(rows * kFeatures);
      std::vector<uint8_t> touched((rows + 3) / kRowsPerFlag);
      ScatterLevel(levels[l],
                   points,
                   slopes.data(),
                   kCount,
                   gradients.data(),
                   touched.data());
      Doubles expected(rows * kFeatures);
      std::vector<uint8_t> expected_touched(touched.size());
      for (size_t i = 0; i < kCount; ++i) {
        reference::ForCorners(
            plain_levels[l], at(i), [&](int64_t row, double weight) {
              row -= plain_levels[l].first_row;
              expected_touched[row / kRowsPerFlag] = 1;
              for (int f = 0; f < kFeatures; ++f) {
                expected[row * kFeatures + f] +=
                    weight * slopes[i * kFeatures + f];
              }
            });
      }
      for (size_t i = 0; i < expected.size(); ++i) {
        ASSERT_NEAR(gradients[i], expected[i], 3e-4) << "level " << l;
      }
      EXPECT_EQ(touched, expected_touched);
    }
  });
}

// One net forward and back.
struct NetResult {
  std::vector<float> outputs, d_inputs, d_nets;
};

NetResult RunNet(const PackedNets& nets,
                 const std::vector<float>& inputs,
                 const std::vector<float>& d_outputs,
                 bool colour) {
  NetResult r;
  std::vector<float> in = inputs;
  std::vector<float> a(kCount * kHidden), b(a), s0(a), s1(a);
  r.outputs.resize(kCount * kGeometry);
  r.d_inputs.resize(kCount * kInputs);
  r.d_nets.resize(kNetSize);
  if (colour) {
    const ColourBlock block = {in.data(), a.data(), b.data(), r.outputs.data()};
    ColourForward(nets, block, kCount);
    ColourBackward(nets,
                   block,
                   d_outputs.data(),
                   kCount,
                   s0.data(),
                   s1.data(),
                   r.d_inputs.data(),
                   r.d_nets.data());
  } else {
    const DensityBlock block = {in.data(), a.data(), r.outputs.data()};
    DensityForward(nets, block, kCount);
    DensityBackward(nets,
                    block,
                    d_outputs.data(),
                    kCount,
                    s0.data(),
                    r.d_inputs.data(),
                    r.d_nets.data());
  }
  return r;
}

void CheckNet(bool colour) {
  std::mt19937 random(2);
  reference::Parameters parameters(kShape);
  parameters.Randomise(random);
  PackedNets nets;
  PackNets(parameters.tensors, Precision::kFloat, &nets);
  const auto layers = colour ? reference::ColourLayers(parameters.tensors)
                             : reference::DensityLayers(parameters.tensors);
  const int first = colour ? 2 : 0;
  const int outputs = colour ? kColours : kGeometry;
  const int out_row = colour ? kColoursPadded : kGeometry;
  const int in_row = colour ? kGeometry : kInputs;
  const std::vector<float> in = Uniform(random, kCount * kInputs, -1, 1);
  std::vector<float> d_out(kCount * out_row);
  for (size_t i = 0; i < kCount; ++i) {
    const auto one = Uniform(random, outputs, -1, 1);
    std::copy(one.begin(), one.end(), d_out.begin() + i * out_row);
  }
  AtEverySimdLevel([&] {
    const NetResult r = RunNet(nets, in, d_out, colour);
    reference::Gradients expected(parameters.tensors);
    std::vector<Doubles*> d_layers;
    for (size_t l = 0; l < layers.size(); ++l) {
      d_layers.push_back(&expected.nets[first + l]);
    }
    for (size_t i = 0; i < kCount; ++i) {
      const auto activations = reference::Forward(
          layers,
          Doubles(in.begin() + i * kInputs, in.begin() + (i + 1) * kInputs));
      const float* d = d_out.data() + i * out_row;
      const Doubles d_in = reference::Backward(
          layers, activations, Doubles(d, d + outputs), d_layers);
      for (int o = 0; o < outputs; ++o) {
        ASSERT_NEAR(r.outputs[i * out_row + o], activations.back()[o], 1e-5);
      }
      for (int k = 0; k < in_row; ++k) {
        ASSERT_NEAR(r.d_inputs[i * in_row + k], d_in[k], 2e-5);
      }
    }
    const int starts[] = {
        kDensity0At, kDensity1At, kColour0At, kColour1At, kColour2At};
    for (size_t l = 0; l < layers.size(); ++l) {
      for (size_t k = 0; k < layers[l].size(); ++k) {
        ASSERT_NEAR(
            r.d_nets[starts[first + l] + k], expected.nets[first + l][k], 2e-4);
      }
    }
  });
}

TEST(MlpTest, DensityNet) { CheckNet(false); }
TEST(MlpTest, ColourNet) { CheckNet(true); }

// Small whole numbers and their sums are exact in either precision, so that
// the results are equal to the last bit; other numbers are rounded.
void CheckBfloat16(bool colour) {
  if (!OffersBfloat16()) {
    GTEST_SKIP() << "this processor has no products of bfloat16";
  }
  std::mt19937 random(2);
  reference::Parameters parameters(kShape);
  const auto pack = [&](Precision precision) {
    auto nets = std::make_unique<PackedNets>();
    PackNets(parameters.tensors, precision, nets.get());
    return nets;
  };
  // One, or minus one, in a part of the places.
  const auto sparse = [&](auto& values, unsigned one_in) {
    for (float& value : values) {
      const unsigned draw = random() % (2 * one_in);
      value = draw == 0 ? 1.0f : draw == 1 ? -1.0f : 0.0f;
    }
  };
  for (auto& matrix : parameters.tensors.Matrices()) sparse(matrix, 4);
  std::vector<float> in(kCount * kInputs);
  sparse(in, 2);
  const int width = colour ? kColours : kGeometry;
  const int row = colour ? kColoursPadded : kGeometry;
  std::vector<float> d_out(kCount * row);
  for (size_t i = 0; i < kCount; ++i) {
    std::span<float> one(d_out.data() + i * row, width);
    sparse(one, 2);
  }
  const NetResult exact = RunNet(*pack(Precision::kFloat), in, d_out, colour);
  const NetResult same = RunNet(*pack(Precision::kBfloat16), in, d_out, colour);
  EXPECT_EQ(same.outputs, exact.outputs);
  EXPECT_EQ(same.d_inputs, exact.d_inputs);
  EXPECT_EQ(same.d_nets, exact.d_nets);
  EXPECT_GT(*std::max_element(exact.d_nets.begin(), exact.d_nets.end()), 9);

  parameters.Randomise(random);
  in = Uniform(random, in.size(), -1, 1);
  const NetResult plain = RunNet(*pack(Precision::kFloat), in, d_out, colour);
  const NetResult rounded =
      RunNet(*pack(Precision::kBfloat16), in, d_out, colour);
  double difference = 0, size = 0;
  for (size_t i = 0; i < plain.outputs.size(); ++i) {
    difference += std::pow(double{rounded.outputs[i]} - plain.outputs[i], 2);
    size += std::pow(plain.outputs[i], 2);
  }
  EXPECT_LT(std::sqrt(difference / size), 0.01);  // eight bits
  EXPECT_GT(std::sqrt(difference / size), 1e-4);
}

TEST(MlpTest, DensityNetInBfloat16) { CheckBfloat16(false); }
TEST(MlpTest, ColourNetInBfloat16) { CheckBfloat16(true); }

TEST(CompositeTest, OpacitiesAndColours) {
  std::mt19937 random(3);
  const size_t padded = kCount + 16;
  const auto raw = Uniform(random, padded, -20, 20);
  const auto length = Uniform(random, padded, 0.001f, 0.1f);
  const auto logits = Uniform(random, kCount * kColoursPadded, -9, 9);
  AtEverySimdLevel([&] {
    std::vector<float> density(padded), transparency(padded);
    ComputeOpacities(
        {raw.data(), length.data(), density.data(), transparency.data()},
        kCount);
    auto colours = logits;
    ComputeColours(colours.data(), kCount);
    for (size_t i = 0; i < kCount; ++i) {
      const double expected = std::exp(std::clamp<double>(raw[i], -15, 15));
      EXPECT_NEAR(density[i] / expected, 1, 1e-6);
      EXPECT_NEAR(transparency[i], std::exp(-expected * length[i]), 1e-6);
    }
    for (size_t i = 0; i < logits.size(); ++i) {
      EXPECT_NEAR(colours[i], 1 / (1 + std::exp(-double{logits[i]})), 1e-6);
    }
  });
}

// One of the two halves around a value; at SSE4 Highway drops what is left
// over, the others round.
void ExpectHalfOf(Half half, double value) {
  const double found = reference::ValueOf(half);
  EXPECT_LT(std::abs(found - value),
            std::abs(reference::ValueOf(half + 1) - found));
  EXPECT_GE(found * value, 0);
}

TEST(EncodeTest, RowsAreRounded) {
  std::mt19937 random(8);
  std::vector<float> values = Uniform(random, 400, -1, 1);
  // All sizes, down to those of a table's first values and below.
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = std::ldexp(values[i], 4 - static_cast<int>(i % 24));
  }
  AtEverySimdLevel([&] {
    std::vector<Half> halves(values.size());
    RoundRows(values.data(), values.size() / kFeatures, halves.data());
    for (size_t i = 0; i < values.size(); ++i) {
      ExpectHalfOf(halves[i], values[i]);
    }
  });
}

TEST(AdamTest, TouchedElementsOnly) {
  const AdamSettings settings;
  // 19 blocks of four rows: the third is not flagged, and in the others rows
  // without gradient stay as they are.
  constexpr size_t kRows = 76;
  constexpr size_t kElements = kRows * kFeatures;
  std::mt19937 random(4);
  const auto values = Uniform(random, kElements, -1, 1);
  const auto second = Uniform(random, kRows, 0, 1);
  auto gradients = Uniform(random, kElements, -1, 1);
  for (size_t row = 0; row < kRows; row += 5) {
    std::fill_n(gradients.begin() + row * kFeatures, kFeatures, 0.0f);
  }
  AtEverySimdLevel([&] {
    auto p = values, v = second, g = gradients;
    std::vector<uint8_t> touched(kRows / kRowsPerFlag, 1);
    touched[2] = 0;
    std::vector<Half> halves(kElements, 0x3c00);  // one
    const size_t blocks =
        AdamTouched(settings,
                    {p.data(), halves.data(), v.data(), g.data()},
                    kRows,
                    touched.data());
    EXPECT_EQ(blocks, touched.size() - 1);
    EXPECT_EQ(touched, std::vector<uint8_t>(touched.size()));
    for (size_t row = 0; row < kRows; ++row) {
      const bool skipped = row / kRowsPerFlag == 2;
      const bool moved = !skipped && row % 5 != 0;
      double square = 0;
      for (size_t i = row * kFeatures; i < (row + 1) * kFeatures; ++i) {
        square += double{gradients[i]} * gradients[i] / kFeatures;
      }
      const double v1 =
          moved ? 0.99 * second[row] + 0.01 * square : second[row];
      EXPECT_NEAR(v[row], v1, 1e-6);
      for (size_t i = row * kFeatures; i < (row + 1) * kFeatures; ++i) {
        EXPECT_EQ(g[i], skipped ? gradients[i] : 0);
        const double p1 =
            moved ? values[i] - 0.01 * gradients[i] / (std::sqrt(v1) + 1e-15)
                  : values[i];
        EXPECT_NEAR(p[i], p1, 1e-6);
        if (skipped) {
          EXPECT_EQ(reference::ValueOf(halves[i]), 1);
        } else {
          ExpectHalfOf(halves[i], p[i]);
        }
      }
    }
  });
}

TEST(AdamTest, DenseStepsAreThoseOfThePaper) {
  AdamSettings settings;
  settings.weight_decay = 0.1f;
  float p = 1, m = 0, v = 0;
  double p1 = 1, m1 = 0, v1 = 0;
  for (int step = 1; step <= 3; ++step) {
    float g = 0.5f * static_cast<float>(step);
    const double d = g + 0.1 * p1;
    AdamDense(settings, {&p, &m, &v, &g}, 1, step);
    m1 = 0.9 * m1 + 0.1 * d;
    v1 = 0.99 * v1 + 0.01 * d * d;
    p1 -= 0.01 * (m1 / (1 - std::pow(0.9, step))) /
          (std::sqrt(v1 / (1 - std::pow(0.99, step))) + 1e-15);
    EXPECT_EQ(g, 0);
  }
  EXPECT_NEAR(p, p1, 1e-6);
}

// Where sample number i of a ray lies, by the rule in march.h.
double Distance(const MarchRules& rules, double near, double s) {
  if (!rules.contracted) return near + s * rules.step;
  const double from = std::max<double>(near, rules.step / rules.cone);
  const double straight = (from - near) / rules.step;
  return s < straight ? near + s * rules.step
                      : from * std::pow(1 + rules.cone, s - straight);
}

// Blobs of occupied cells in two opposite eighths of space, so that there is
// room to jump over and there are gaps to look into.
OccupancyBits Blobs(uint32_t side) {
  OccupancyBits bits(static_cast<int>(side));
  for (uint32_t z = 0; z < side; ++z) {
    for (uint32_t y = 0; y < side; ++y) {
      for (uint32_t x = 0; x < side; ++x) {
        const bool low = x < side / 2;
        if (low != (y < side / 2) || low != (z < side / 2)) continue;
        if ((x / 13 + y / 11 + z / 9) % 3 == 0) bits.Set(x, y, z);
      }
    }
  }
  bits.MeasureClearance();
  return bits;
}

void CheckMarch(const MarchRules& rules, int side) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> uniform(-1, 1);
  const OccupancyBits bits = Blobs(static_cast<uint32_t>(side));
  const float scale = rules.contracted ? 4 : 1;
  for (int r = 0; r < 50; ++r) {
    float o[3], d[3];
    for (int a = 0; a < 3; ++a) {
      o[a] = 2 * uniform(random);
      d[a] = uniform(random) - 0.4f * o[a];
    }
    const float length = std::hypot(d[0], d[1], d[2]);
    for (float& axis : d) axis /= length;
    const float jitter = 0.5f + 0.4f * uniform(random);
    MarchRay ray = StartRay(rules, o, d, 0.05f, 8 * scale, jitter);
    if (ray.done) continue;
    std::vector<float> x(8192), y(x), z(x), t(x), dt(x);
    size_t found = 0;
    while (!ray.done) {
      found += March(rules,
                     bits,
                     5,
                     &ray,
                     {x.data() + found,
                      y.data() + found,
                      z.data() + found,
                      t.data() + found,
                      dt.data() + found});
    }
    size_t k = 0;
    for (int i = 0;; ++i) {
      const double distance = Distance(rules, ray.near, i + double{jitter});
      if (distance >= ray.far) break;
      double p[3], norm = 1;
      for (int a = 0; a < 3; ++a) {
        p[a] = o[a] + distance * d[a];
        norm = std::max(norm, std::abs(p[a]));
      }
      double unit[3];
      bool edge = false;
      uint32_t cell[3];
      for (int a = 0; a < 3; ++a) {
        unit[a] = rules.contracted ? (2 - 1 / norm) / norm * p[a] / 4 + 0.5
                                   : (p[a] + 1) / 2;
        const double at = unit[a] * side;
        cell[a] = static_cast<uint32_t>(
            std::clamp(static_cast<int>(at), 0, side - 1));
        edge = edge || std::abs(at - std::round(at)) < 1e-3;
      }
      const bool same =
          k < found && std::abs(t[k] - distance) < 1e-5 * distance + 1e-6;
      // In float a sample on a cell's border may fall to either side.
      const bool expected = edge ? same : bits.Has(cell[0], cell[1], cell[2]);
      ASSERT_EQ(same, expected) << "ray " << r << " sample " << i;
      if (!same) continue;
      EXPECT_NEAR(x[k], unit[0], 1e-5);
      EXPECT_NEAR(y[k], unit[1], 1e-5);
      EXPECT_NEAR(z[k], unit[2], 1e-5);
      const double step =
          rules.contracted ? std::max<double>(rules.step, distance * rules.cone)
                           : rules.step;
      EXPECT_NEAR(dt[k], step, 1e-5 * step);
      ++k;
    }
    ASSERT_EQ(k, found);
  }
}

TEST(MarchTest, BoxedSpace) {
  AtEverySimdLevel([] {
    CheckMarch({.step = 0.0067f}, 128);
    CheckMarch({.step = 0.0067f}, 256);
  });
}

TEST(MarchTest, ContractedSpace) {
  AtEverySimdLevel([] {
    CheckMarch({.contracted = true, .step = 1.0f / 256, .cone = 1.0f / 128},
               128);
  });
}

TEST(OccupancyBitsTest, ClearanceIsTheDistanceToTheNextBlock) {
  for (const int side : {32, 256}) {
    OccupancyBits bits(side);
    const int blocks = bits.block_side();
    EXPECT_EQ(bits.clearance()[0], blocks);                         // all empty
    const int taken[3][3] = {{3, 20, 31}, {13, 4, 6}, {14, 4, 6}};  // cells
    for (const auto& cell : taken) bits.Set(cell[0], cell[1], cell[2]);
    bits.MeasureClearance();
    for (int i = 0; i < blocks * blocks * blocks; ++i) {
      const int at[3] = {i % blocks, i / blocks % blocks, i / blocks / blocks};
      int nearest = blocks;
      for (const auto& cell : taken) {
        int distance = 0;
        for (int a = 0; a < 3; ++a) {
          distance = std::max(distance, std::abs(at[a] - cell[a] / 4));
        }
        nearest = std::min(nearest, distance);
      }
      ASSERT_EQ(bits.clearance()[i], nearest) << side << " " << i;
    }
  }
}

}  // namespace
}  // namespace nerfpipe::nerf::kernels
