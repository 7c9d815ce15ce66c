#pragma once

// A few rays on their way through the whole model: march, encoding, nets and
// compositing, and back. All memory of one packet fits the cache of one core.

#include "stages/nerf/kernels/buffer.h"
#include "stages/nerf/kernels/composite.h"
#include "stages/nerf/kernels/encode.h"
#include "stages/nerf/kernels/march.h"
#include "stages/nerf/kernels/mlp.h"
#include "stages/nerf/kernels/ngp_shape.h"
#include "stages/nerf/kernels/occupancy_bits.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nerfpipe::nerf::kernels {

// Rays in frame coordinates. Directions of any length; near and far count in
// them.
struct RayArrays {
  const float* origins = nullptr;     // count x 3
  const float* directions = nullptr;  // count x 3
  const float* near = nullptr;
  const float* far = nullptr;
  size_t count = 0;
};

// What a packet reads.
struct Model {
  GridLevels levels;
  const Half* table = nullptr;
  PackedNets nets;
  const OccupancyBits* bits = nullptr;
  // Cells that are thought to be empty, but may be filled; may be missing.
  const OccupancyBits* free = nullptr;
};

struct SampleRules {
  MarchRules march;
  float min_weight = 5e-4f;  // without roulette, lighter ones are left out
  // With more than 0: Russian roulette instead. Samples lighter than
  // this are kept with the chance weight / roulette, and weigh this much then,
  // so that sums keep their mean.
  float roulette = 0;
  float stop_transmittance = 1e-4f;  // a ray ends below this
};

// Gradients of one group of packets.
struct GradientSink {
  std::array<float, kNetSize> nets = {};
  // By the inputs of the density net, at points of the unit cube.
  Buffer<float> x, y, z;
  std::array<Buffer<float>, kLevels> features;  // count x kFeatures each
  size_t count = 0;
};

// Nanoseconds spent in each part.
struct PartTimes {
  int64_t march = 0, encode = 0, nets = 0, composite = 0, backward = 0;
};

class RayPacket {
 public:
  // Puts `count` rays from number `first` on through march, density net,
  // weights, colour net; keeps what a backward pass needs when `train`.
  // jitter, chance: one number in [0, 1) per ray of the packet.
  void Forward(const Model& model,
               const SampleRules& rules,
               const RayArrays& rays,
               size_t first,
               size_t count,
               const float* jitter,
               const float* chance,
               bool train);

  // Results, one per ray; no background yet.
  std::vector<RaySum>& sums() { return sums_; }
  // Length of each ray's direction.
  float Scale(size_t ray) const { return scales_[ray]; }
  size_t marched() const { return marched_; }
  size_t kept() const { return kept_; }

  // After CloseRay() on each of sums(); adds to `sink`.
  void Backward(const Model& model, GradientSink* sink);

  const PartTimes& times() const { return times_; }

 private:
  struct Segment {
    uint32_t ray;
    uint32_t begin;
    uint32_t count;
  };

  void StartRays(const SampleRules& rules,
                 const RayArrays& rays,
                 size_t first,
                 size_t count,
                 const float* jitter,
                 const float* chance);
  size_t MarchWave(const Model& model, const SampleRules& rules);
  void DensityWave(const Model& model, size_t count);
  void SelectWave(const SampleRules& rules, bool train);
  static bool IsKept(const SampleRules& rules, Sample* sample, RaySum* sum);
  void Keep(size_t from, const Sample& sample, bool train);
  void ColourForwardPass(const Model& model);
  void Reserve(size_t count);

  std::vector<MarchRay> rays_;
  std::vector<RaySum> sums_;
  std::vector<float> scales_;
  std::vector<std::array<float, kHarmonics>> harmonics_;
  std::vector<uint32_t> alive_;
  std::vector<Segment> segments_;
  size_t marched_ = 0;
  size_t kept_ = 0;

  // The kept samples, then those of the wave.
  Buffer<float> x_, y_, z_, distance_, length_;
  Buffer<float> log_density_, density_, transparency_;
  Buffer<float> inputs_, hidden_, outputs_;
  // Kept samples only.
  Buffer<Sample> samples_;
  Buffer<float> colour_inputs_, hidden0_, hidden1_, colours_;
  Buffer<float> scratch0_, scratch1_, d_colours_, d_log_density_;
  Buffer<float> d_outputs_, d_inputs_;
  PartTimes times_;
};

}  // namespace nerfpipe::nerf::kernels
