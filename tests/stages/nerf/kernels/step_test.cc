// A whole step and a whole picture against plain loops in double precision;
// repetition, threads and resuming.

#include "stages/nerf/kernels/counter_random.h"
#include "stages/nerf/kernels/ngp_kernels.h"
#include "tests/stages/nerf/kernels/reference.h"
#include "tests/stages/nerf/kernels/simd_levels.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace nerfpipe::nerf::kernels {
namespace {

constexpr uint64_t kSeed = 7;

// A model, its optimiser state and a grid, all occupied.
struct World {
  explicit World(bool contracted)
      : shape{.log2_table = 13,
              .finest_resolution = 256,
              .contracted = contracted},
        values(shape),
        first(shape),
        second(shape),
        thickness(kGridCells, 1.0f),
        grid(thickness) {
    auto& seconds = second.tensors.table;
    seconds = seconds.first(seconds.size() / kFeatures);
    std::mt19937 random(1);
    values.Randomise(random);
    options.samples.march.contracted = contracted;
    options.samples.march.step = contracted ? 1.0f / 32 : 0.02f;
    options.samples.march.cone = 1.0f / 16;
    options.samples.min_weight = 1e-3f;
    // High enough that some rays end before they have left.
    options.samples.stop_transmittance = 0.15f;
    options.loss = contracted ? LossKind::kHuber : LossKind::kSquared;
    options.net_adam.epsilon = 1e-15f;
    options.target_samples = 4096;
    options.seed = kSeed;
  }

  NgpKernels Kernels(int threads, Precision precision = Precision::kFloat) {
    return NgpKernels(shape,
                      values.tensors,
                      first.tensors,
                      second.tensors,
                      &grid,
                      precision,
                      threads);
  }

  NgpShape shape;
  reference::Parameters values, first, second;
  std::vector<float> thickness;
  OccupancyGrid grid;
  StepOptions options;
};

// Rays through the middle of space, with directions of length 1.5.
struct Batch {
  explicit Batch(size_t count, int seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0, 1);
    std::uniform_real_distribution<float> uniform(0, 1);
    for (size_t i = 0; i < count; ++i) {
      float o[3], d[3];
      for (int a = 0; a < 3; ++a) o[a] = normal(random);
      const float far_off = 2.5f / std::hypot(o[0], o[1], o[2]);
      for (int a = 0; a < 3; ++a) {
        o[a] *= far_off;
        d[a] = 0.4f * normal(random) - o[a];
      }
      const float length = std::hypot(d[0], d[1], d[2]) / 1.5f;
      for (int a = 0; a < 3; ++a) {
        origins.push_back(o[a]);
        directions.push_back(d[a] / length);
      }
      near.push_back(0.05f);
      far.push_back(5);
      for (int c = 0; c < 4; ++c) rgba.push_back(uniform(random));
    }
  }
  RayArrays arrays() const {
    return {origins.data(),
            directions.data(),
            near.data(),
            far.data(),
            near.size()};
  }
  std::vector<float> origins, directions, near, far, rgba;
};

// The samples of ray `i`, placed by the rule in march.h.
reference::Ray PlainRay(const Batch& batch,
                        size_t i,
                        const MarchRules& rules,
                        double jitter) {
  reference::Ray ray;
  double near = batch.near[i] * 1.5, far = batch.far[i] * 1.5;
  double o[3];
  for (int a = 0; a < 3; ++a) {
    o[a] = batch.origins[3 * i + a];
    ray.direction[a] = batch.directions[3 * i + a] / 1.5;
    if (rules.contracted) continue;
    const double t0 = (-1 - o[a]) / ray.direction[a];
    const double t1 = (1 - o[a]) / ray.direction[a];
    near = std::max(near, std::min(t0, t1));
    far = std::min(far, std::max(t0, t1));
  }
  const double from = std::max<double>(near, rules.step / rules.cone);
  const double straight = (from - near) / rules.step;
  for (int k = 0;; ++k) {
    const double s = k + jitter;
    double t = near + s * rules.step;
    double length = rules.step;
    if (rules.contracted) {
      if (s > straight) t = from * std::pow(1 + rules.cone, s - straight);
      length = std::max(length, t * rules.cone);
    }
    if (t >= far) break;
    double p[3], norm = 1;
    for (int a = 0; a < 3; ++a) {
      p[a] = o[a] + t * ray.direction[a];
      norm = std::max(norm, std::abs(p[a]));
    }
    reference::Sample sample = {{}, t, length};
    for (int a = 0; a < 3; ++a) {
      sample.unit[a] = rules.contracted ? (2 - 1 / norm) / norm * p[a] / 4 + 0.5
                                        : (p[a] + 1) / 2;
    }
    ray.samples.push_back(sample);
  }
  return ray;
}

double Largest(const reference::Doubles& values) {
  double largest = 0;
  for (const double value : values) {
    largest = std::max(largest, std::abs(value));
  }
  return largest;
}

// In float a few of some 100,000 hidden units that are nearly zero fall to the
// other side of the rectifier, which changes the rows of one sample by a part
// of itself; so single elements are held less tightly than all together.
void ExpectGradient(const reference::Doubles& found,
                    const reference::Doubles& gradients,
                    const std::string& name) {
  const double largest = Largest(gradients);
  ASSERT_GT(largest, 0) << name;
  double error = 0, size = 0, worst = 0;
  for (size_t i = 0; i < gradients.size(); ++i) {
    const double difference = found[i] - gradients[i];
    error += difference * difference;
    size += gradients[i] * gradients[i];
    worst = std::max(worst, std::abs(difference));
    // Rows that no sample touches stay exactly as they are.
    if (gradients[i] == 0) {
      ASSERT_EQ(found[i], 0) << name << " " << i;
    }
  }
  EXPECT_LT(std::sqrt(error / size), 1e-2) << name;
  EXPECT_LT(worst / largest, 3e-2) << name;
}

// After the first step Adam's first moment is a tenth of the gradient.
reference::Doubles GradientOf(std::span<const float> moments) {
  reference::Doubles gradient(moments.begin(), moments.end());
  for (double& one : gradient) one *= 10;
  return gradient;
}

// The table has no first moment; its rows moved by the gradient times the rate
// over the root of the second.
reference::Doubles TableGradient(const World& world,
                                 const reference::Parameters& before) {
  reference::Doubles gradient;
  const std::span<const float> now = world.values.tensors.table;
  for (size_t i = 0; i < now.size(); ++i) {
    gradient.push_back((before.tensors.table[i] - now[i]) /
                       world.options.table_adam.learning_rate *
                       std::sqrt(world.second.tensors.table[i / kFeatures]));
  }
  return gradient;
}

void CheckStep(bool contracted,
               float roulette,
               float distortion = 0,
               float free_space = 0) {
  World world(contracted);
  world.options.distortion = distortion;
  world.options.free_space = free_space;
  // Every second layer of cells is free.
  const auto is_free = [](double z) {
    return static_cast<int>(z * kGridSide) % 2 == 1;
  };
  if (free_space > 0) {
    const auto cells = std::make_unique<bool[]>(kGridCells);
    for (size_t i = 0; i < kGridCells; ++i) {
      cells[i] = i / (size_t{kGridSide} * kGridSide) % 2 == 1;
    }
    world.grid.SetFree({cells.get(), kGridCells});
  }
  world.options.samples.roulette = roulette;
  const Batch batch(48, 2);
  reference::Parameters before(world.shape);
  before.memory = world.values.memory;
  reference::Gradients gradients(before.tensors);
  std::vector<reference::Ray> rays;
  const uint64_t jitter_key = RandomKey(kSeed, 0, RandomUse::kJitter);
  const uint64_t chance_key = RandomKey(kSeed, 0, RandomUse::kRoulette);
  for (size_t i = 0; i < batch.near.size(); ++i) {
    rays.push_back(PlainRay(
        batch, i, world.options.samples.march, RandomUniform(jitter_key, i)));
    reference::Ray& ray = rays.back();
    ray.chance = RandomUniform(chance_key, i);
    for (reference::Sample& sample : ray.samples) {
      sample.free = is_free(sample.unit[2]);
    }
    world.options.random_background = false;
    world.options.background = {0.2f, 0.5f, 0.9f};
    const float alpha = batch.rgba[4 * i + 3];
    for (int c = 0; c < 3; ++c) {
      ray.background[c] = world.options.background[c];
      ray.target[c] =
          alpha * batch.rgba[4 * i + c] + (1 - alpha) * ray.background[c];
    }
  }
  const auto expected =
      reference::RenderBatch(world.shape,
                             before.tensors,
                             rays,
                             contracted,
                             world.options.samples.min_weight,
                             world.options.samples.stop_transmittance,
                             roulette,
                             distortion,
                             free_space,
                             &gradients);
  double loss = 0;
  int64_t kept = 0;
  for (const auto& one : expected) {
    loss += one.loss;
    kept += one.kept;
  }

  NgpKernels kernels = world.Kernels(2);
  const StepStats stats =
      kernels.TrainStep(batch.arrays(), batch.rgba.data(), world.options, 0);
  EXPECT_NEAR(stats.loss, loss, 1e-4 * loss);
  EXPECT_EQ(stats.trained, kept);
  EXPECT_GT(kept, 500);
  ExpectGradient(TableGradient(world, before), gradients.table, "table");
  for (int m = 0; m < 5; ++m) {
    ExpectGradient(GradientOf(world.first.tensors.Matrices()[m]),
                   gradients.nets[m],
                   "matrix " + std::to_string(m));
  }
  // Without history Adam moves every row by ten times the learning rate, in the
  // mean: the second moment starts at a hundredth.
  const double clear = 0.01 * Largest(gradients.table);
  int64_t moved = 0;
  for (size_t row = 0; row < gradients.table.size(); row += kFeatures) {
    double square = 0, distance = 0;
    for (size_t i = row; i < row + kFeatures; ++i) {
      const double by = before.tensors.table[i] - world.values.tensors.table[i];
      square += gradients.table[i] * gradients.table[i] / kFeatures;
      distance += by * by / kFeatures;
    }
    if (square < clear * clear) continue;
    ++moved;
    ASSERT_NEAR(std::sqrt(distance), 0.1, 1e-3);
  }
  EXPECT_GT(moved, 50);
}

TEST(StepTest, BoxedSpace) {
  AtEverySimdLevel([] { CheckStep(false, 0); });
}

TEST(StepTest, ContractedSpace) {
  AtEverySimdLevel([] { CheckStep(true, 0); });
}

TEST(StepTest, Roulette) {
  AtEverySimdLevel([] { CheckStep(false, 0.02f); });
}

// As much of it as of the colours' loss.
TEST(StepTest, Distortion) { CheckStep(true, 0.02f, 0.1f); }

TEST(StepTest, FreeSpace) { CheckStep(true, 0.02f, 0, 0.1f); }

// The eighths of occupied cells that RefinedBits() keeps are those with a point
// of enough density among its four.
TEST(RenderTest, RefinedCellsAreThoseThatShow) {
  World world(false);
  constexpr float kLength = 0.02f;
  Model model;
  model.levels = MakeGridLevels(world.shape);
  std::vector<Half> halves(world.values.tensors.table.size());
  RoundRows(world.values.tensors.table.data(),
            halves.size() / kFeatures,
            halves.data());
  model.table = halves.data();
  PackNets(world.values.tensors, Precision::kFloat, &model.nets);
  // One cell in nine is occupied, by a limit that some of the field reaches.
  for (size_t i = 0; i < kGridCells; ++i) {
    world.thickness[i] = i % 9 == 0 ? 1.0f : 0.0f;
  }
  world.grid.Rebuild(kLength, 2);
  const float limit = world.grid.limit();
  ASSERT_EQ(limit, kLength);
  const auto refined = RefinedBits(model, world.grid, kLength, 2);
  ASSERT_TRUE(refined.has_value());
  const OccupancyBits& bits = *refined;

  const auto levels = reference::Levels(world.shape);
  std::mt19937 random(3);
  int kept = 0, dropped = 0;
  for (int i = 0; i < 400; ++i) {
    // An eighth of an occupied cell, or of one before it.
    const uint32_t cell =
        9 * static_cast<uint32_t>(random() % (kGridCells / 9)) + 9 - i % 2;
    const uint32_t fine[3] = {
        2 * (cell % 128) + static_cast<uint32_t>(random() % 2),
        2 * (cell / 128 % 128) + static_cast<uint32_t>(random() % 2),
        2 * (cell / 128 / 128) + static_cast<uint32_t>(random() % 2)};
    double largest = 0;
    for (int probe = 0; probe < 4; ++probe) {
      const int quarter[3] = {probe & 1, probe >> 1, (probe & 1) ^ probe >> 1};
      std::array<double, 3> x;
      for (int a = 0; a < 3; ++a) {
        x[a] = (fine[a] + 0.25 + 0.5 * quarter[a]) / 256;
      }
      const double raw =
          reference::Forward(
              reference::DensityLayers(world.values.tensors),
              reference::Encode(levels, world.values.tensors.table, x))
              .back()[0];
      largest = std::max(largest, kLength * std::exp(raw));
    }
    if (std::abs(largest / limit - 1) < 1e-3) continue;
    const bool expected = cell % 9 == 0 && largest > limit;
    kept += expected;
    dropped += cell % 9 == 0 && !expected;
    ASSERT_EQ(bits.Has(fine[0], fine[1], fine[2]), expected) << i;
  }
  EXPECT_GT(kept, 10);
  EXPECT_GT(dropped, 10);
}

void CheckRendering(float roulette) {
  World world(true);
  world.options.samples.roulette = roulette;
  const Batch batch(200, 3);
  AtEverySimdLevel([&] {
    std::vector<float> rgb(600), depth(200), opacity(200);
    NgpKernels kernels = world.Kernels(2);
    kernels.RenderRays(batch.arrays(),
                       world.options.samples,
                       {1, 0.5f, 0},
                       rgb.data(),
                       depth.data(),
                       opacity.data());
    for (const size_t i : {0, 63, 64, 199}) {
      reference::Ray ray = PlainRay(batch, i, world.options.samples.march, 0.5);
      ray.background = {1, 0.5, 0};
      ray.chance = 0.5;
      ray.target = {};
      reference::Gradients unused(world.values.tensors);
      const auto expected =
          reference::RenderBatch(world.shape,
                                 world.values.tensors,
                                 {ray},
                                 false,
                                 world.options.samples.min_weight,
                                 world.options.samples.stop_transmittance,
                                 roulette,
                                 /*distortion=*/0,
                                 /*free_space=*/0,
                                 &unused);
      for (int c = 0; c < 3; ++c) {
        EXPECT_NEAR(rgb[3 * i + c], expected[0].rgb[c], 2e-4);
      }
      EXPECT_NEAR(depth[i] * 1.5, expected[0].depth, 1e-3);
      EXPECT_NEAR(opacity[i], 1 - expected[0].transmittance, 2e-4);
    }
  });
}

TEST(RenderTest, EqualsTheReference) { CheckRendering(0); }

TEST(RenderTest, EqualsTheReferenceByRoulette) { CheckRendering(0.01f); }

// Six steps with updates of the grid between, the second half by a new object
// on the same memory when `resume`.
std::vector<float> SixSteps(Precision precision, int threads, bool resume) {
  World world(false);
  world.options.random_background = true;
  const auto make = [&] {
    return std::make_unique<NgpKernels>(world.Kernels(threads, precision));
  };
  auto kernels = make();
  // Two updates of the warm-up's kind, then some of the later one.
  const GridOptions grid = {
      .length = 0.02f, .warmup = 3, .every = 2, .seed = kSeed};
  for (int step = 0; step < 6; ++step) {
    if (step == 3 && resume) {
      world.grid.Rebuild(grid.threshold, 2);
      kernels = make();
    }
    kernels->UpdateGridIfDue(grid, step);
    const Batch batch(300, step);
    kernels->TrainStep(batch.arrays(), batch.rgba.data(), world.options, step);
  }
  std::vector<float> all = world.values.memory;
  all.insert(all.end(), world.first.memory.begin(), world.first.memory.end());
  all.insert(all.end(), world.second.memory.begin(), world.second.memory.end());
  all.insert(all.end(), world.thickness.begin(), world.thickness.end());
  return all;
}

TEST(RepeatTest, NeitherThreadsNorResumingChangeABit) {
  for (const auto precision : {Precision::kFloat, Precision::kBfloat16}) {
    if (precision == Precision::kBfloat16 && !OffersBfloat16()) continue;
    const std::vector<float> once = SixSteps(precision, 1, false);
    EXPECT_TRUE(once == SixSteps(precision, 1, false));
    EXPECT_TRUE(once == SixSteps(precision, 2, false));
    EXPECT_TRUE(once == SixSteps(precision, 3, true));
  }
}

TEST(LearnTest, AColouredBallIsLearned) {
  World world(false);
  std::fill(world.values.tensors.table.begin(),
            world.values.tensors.table.end(),
            1e-4f);
  world.options.table_adam.learning_rate = 1e-2f;
  NgpKernels kernels = world.Kernels(0, ChoosePrecision(true));
  double first = 0, last = 0;
  int64_t count = 256;
  for (int step = 0; step < 150; ++step) {
    Batch batch(static_cast<size_t>(count), step);
    for (int64_t i = 0; i < count; ++i) {
      const float* o = batch.origins.data() + 3 * i;
      const float* d = batch.directions.data() + 3 * i;
      const float od = (o[0] * d[0] + o[1] * d[1] + o[2] * d[2]) / 1.5f;
      const float gap = o[0] * o[0] + o[1] * o[1] + o[2] * o[2] - od * od;
      const bool hit = gap < 0.25f;
      const float colour[4] = {
          0.9f, 0.3f, o[0] > 0 ? 0.8f : 0.1f, hit ? 1.0f : 0.0f};
      std::copy(colour, colour + 4, batch.rgba.data() + 4 * i);
    }
    const StepStats stats = kernels.TrainStep(
        batch.arrays(), batch.rgba.data(), world.options, step);
    (step == 0 ? first : last) = stats.squared_error;
    count = NextRayCount(count, stats.trained, 4096, 1024);
  }
  EXPECT_GT(first, 0.05);
  EXPECT_LT(last, 0.02);
}

TEST(RayCountTest, FollowsTheTarget) {
  EXPECT_EQ(NextRayCount(100, 4000, 6000, 1000), 150);
  EXPECT_EQ(NextRayCount(100, 100, 6000, 1000), 200);
  EXPECT_EQ(NextRayCount(800, 100, 6000, 1000), 1000);
  EXPECT_EQ(NextRayCount(100, 0, 6000, 1000), 200);
  EXPECT_EQ(NextRayCount(200, 60000, 6000, 1000), 100);
}

}  // namespace
}  // namespace nerfpipe::nerf::kernels
