#include "stages/nerf/kernels/ngp_kernels.h"

#include "pipeline/base/error.h"
#include "stages/nerf/kernels/counter_random.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <omp.h>

namespace nerfpipe::nerf::kernels {
namespace {

// Groups have gradients of their own, which are then added in order. More
// groups spread better over threads, and cost more additions.
constexpr int kGroups = 16;
// Trained samples of one packet, about: their activations fit the L2 cache.
constexpr size_t kPacketSamples = 160;

int64_t Now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Offset of each matrix in a block of kNetSize.
constexpr std::array<int, 5> kMatrixAt = {
    kDensity0At, kDensity1At, kColour0At, kColour1At, kColour2At};

std::array<float, 3> BackgroundOf(const StepOptions& options,
                                  uint64_t key,
                                  size_t ray) {
  if (!options.random_background) return options.background;
  const uint64_t bits = RandomBits(key, ray);
  return {static_cast<float>(bits & 0xffff) / 0xffff,
          static_cast<float>(bits >> 16 & 0xffff) / 0xffff,
          static_cast<float>(bits >> 32 & 0xffff) / 0xffff};
}

}  // namespace

struct NgpKernels::Worker {
  RayPacket packet;
  std::vector<float> jitter, chance;
  // Of the level in work, zero between levels: one such block stays in the
  // cache where a gradient of the whole table would not.
  Buffer<float> gradients;
  Buffer<uint8_t> touched;
  int64_t scatter = 0, adam = 0, rows = 0;
};

NgpKernels::NgpKernels(const NgpShape& shape,
                       const NgpTensors& values,
                       const NetTensors& first,
                       const NgpTensors& second,
                       OccupancyGrid* grid,
                       Precision precision,
                       int threads)
    : precision_(precision),
      values_(values),
      second_(second),
      first_(first),
      grid_(grid),
      threads_(threads > 0 ? threads : omp_get_max_threads()),
      groups_(kGroups),
      group_stats_(kGroups),
      net_gradients_(kNetSize) {
  model_.levels = MakeGridLevels(shape);
  halves_.Reserve(values.table.size());
  model_.table = halves_.data();
  NERFPIPE_CHECK(values.table.size() ==
                 static_cast<size_t>(TableRows(model_.levels)) * kFeatures);
  NERFPIPE_CHECK(second.table.size() * kFeatures == values.table.size());
  uint32_t most_rows = 0;
  for (const GridLevel& level : model_.levels) {
    most_rows = std::max(most_rows, level.rows);
  }
  for (int t = 0; t < threads_; ++t) {
    workers_.push_back(std::make_unique<Worker>());
    workers_.back()->gradients.Reserve(size_t{most_rows} * kFeatures);
    workers_.back()->touched.Reserve(most_rows / kRowsPerFlag);
  }
  Reload();
}

NgpKernels::~NgpKernels() = default;
NgpKernels::NgpKernels(NgpKernels&&) noexcept = default;

void NgpKernels::Reload(std::optional<OccupancyBits> fine) {
  fine_ = std::move(fine);
  RoundRows(
      values_.table.data(), values_.table.size() / kFeatures, halves_.data());
  PackNets();
}

void NgpKernels::PackNets() {
  ForgetRefinement();
  kernels::PackNets(values_, precision_, &model_.nets);
}

void NgpKernels::ForgetRefinement() {
  refined_.reset();
  refined_length_ = 0;
}

void NgpKernels::RefineGrid(float length) {
  if (refined_length_ == length) return;
  refined_length_ = length;
  refined_ = RefinedBits(model_, *grid_, length, threads_);
}

StepStats NgpKernels::TrainStep(const RayArrays& rays,
                                const float* rgba,
                                const StepOptions& options,
                                int64_t step) {
  model_.bits = fine_ ? &*fine_ : &grid_->bits();
  model_.free = grid_->free();
  RunGroups(rays, rgba, options, step);
  StepStats stats;
  for (const StepStats& group : group_stats_) {
    stats.loss += group.loss;
    stats.squared_error += group.squared_error;
    stats.marched += group.marched;
    stats.trained += group.trained;
  }
  UpdateParameters(options, step);
  return stats;
}

void NgpKernels::RunGroups(const RayArrays& rays,
                           const float* rgba,
                           const StepOptions& options,
                           int64_t step) {
  const size_t packets_per_group =
      std::max<size_t>(1, options.target_samples / (kPacketSamples * kGroups));
  const size_t packets = packets_per_group * kGroups;
  const LossRules loss = {options.loss,
                          1.0f / (3.0f * static_cast<float>(rays.count)),
                          options.distortion,
                          options.free_space};
  const uint64_t jitter_key = RandomKey(options.seed, step, RandomUse::kJitter);
  const uint64_t background_key =
      RandomKey(options.seed, step, RandomUse::kBackground);
  const uint64_t chance_key =
      RandomKey(options.seed, step, RandomUse::kRoulette);
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads_)
  for (int g = 0; g < kGroups; ++g) {
    Worker& worker = *workers_[omp_get_thread_num()];
    GradientSink& sink = groups_[g];
    StepStats& stats = group_stats_[g];
    sink.nets.fill(0);
    sink.count = 0;
    stats = {};
    for (size_t p = g * packets_per_group; p < (g + 1) * packets_per_group;
         ++p) {
      const size_t first = rays.count * p / packets;
      const size_t count = rays.count * (p + 1) / packets - first;
      worker.jitter.resize(count);
      worker.chance.resize(count);
      for (size_t i = 0; i < count; ++i) {
        worker.jitter[i] = RandomUniform(jitter_key, first + i);
        worker.chance[i] = RandomUniform(chance_key, first + i);
      }
      RayPacket& packet = worker.packet;
      packet.Forward(model_,
                     options.samples,
                     rays,
                     first,
                     count,
                     worker.jitter.data(),
                     worker.chance.data(),
                     /*train=*/true);
      for (size_t i = 0; i < count; ++i) {
        const float* pixel = rgba + 4 * (first + i);
        const std::array<float, 3> background =
            BackgroundOf(options, background_key, first + i);
        std::array<float, 3> target;
        for (int c = 0; c < 3; ++c) {
          target[c] = pixel[3] * pixel[c] + (1 - pixel[3]) * background[c];
        }
        float squared_error;
        stats.loss += CloseRay(
            loss, background, target, &packet.sums()[i], &squared_error);
        stats.squared_error += squared_error * loss.scale;
      }
      packet.Backward(model_, &sink);
      stats.marched += static_cast<int64_t>(packet.marched());
      stats.trained += static_cast<int64_t>(packet.kept());
    }
  }
}

void NgpKernels::UpdateNets(const StepOptions& options, int64_t step) {
  std::fill(net_gradients_.begin(), net_gradients_.end(), 0.0f);
  for (const GradientSink& group : groups_) {
    for (int i = 0; i < kNetSize; ++i) net_gradients_[i] += group.nets[i];
  }
  const auto values = values_.Matrices();
  const auto first = first_.Matrices();
  const auto second = second_.Matrices();
  for (size_t m = 0; m < values.size(); ++m) {
    AdamDense(options.net_adam,
              {values[m].data(),
               first[m].data(),
               second[m].data(),
               net_gradients_.data() + kMatrixAt[m]},
              values[m].size(),
              step + 1);
  }
  PackNets();
}

void NgpKernels::UpdateLevel(const StepOptions& options,
                             int l,
                             Worker* worker) {
  const GridLevel& level = model_.levels[l];
  const int64_t begin = Now();
  for (const GradientSink& group : groups_) {
    ScatterLevel(level,
                 {group.x.data(), group.y.data(), group.z.data()},
                 group.features[l].data(),
                 group.count,
                 worker->gradients.data(),
                 worker->touched.data());
  }
  const int64_t scattered = Now();
  const size_t at = size_t{level.first_row} * kFeatures;
  const size_t blocks = AdamTouched(options.table_adam,
                                    {values_.table.data() + at,
                                     halves_.data() + at,
                                     second_.table.data() + level.first_row,
                                     worker->gradients.data()},
                                    level.rows,
                                    worker->touched.data());
  worker->rows += static_cast<int64_t>(blocks * kRowsPerFlag);
  worker->scatter += scattered - begin;
  worker->adam += Now() - scattered;
}

void NgpKernels::UpdateParameters(const StepOptions& options, int64_t step) {
  // A level belongs to one thread: no collisions, and one order of additions.
  // The finest first, they take longest; the nets come last and fill the gap.
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads_)
  for (int i = 0; i <= kLevels; ++i) {
    if (i == kLevels) {
      UpdateNets(options, step);
    } else {
      UpdateLevel(
          options, kLevels - 1 - i, workers_[omp_get_thread_num()].get());
    }
  }
}

void NgpKernels::RenderRays(const RayArrays& rays,
                            const SampleRules& rules,
                            const std::array<float, 3>& background,
                            float* rgb,
                            float* depth,
                            float* opacity) {
  constexpr size_t kRays = 64;
  Model model = model_;
  model.bits = refined_ ? &*refined_ : &grid_->bits();
  const int64_t packets =
      static_cast<int64_t>((rays.count + kRays - 1) / kRays);
#pragma omp parallel for schedule(dynamic, 8) num_threads(threads_)
  for (int64_t p = 0; p < packets; ++p) {
    Worker& worker = *workers_[omp_get_thread_num()];
    const size_t first = static_cast<size_t>(p) * kRays;
    const size_t count = std::min(kRays, rays.count - first);
    worker.jitter.assign(count, 0.5f);
    worker.chance.assign(count, 0.5f);
    RayPacket& packet = worker.packet;
    packet.Forward(model,
                   rules,
                   rays,
                   first,
                   count,
                   worker.jitter.data(),
                   worker.chance.data(),
                   /*train=*/false);
    for (size_t i = 0; i < count; ++i) {
      const RaySum& sum = packet.sums()[i];
      for (int c = 0; c < 3; ++c) {
        rgb[3 * (first + i) + c] =
            sum.colour[c] + sum.transmittance * background[c];
      }
      depth[first + i] =
          sum.distance / (std::max(sum.weight, 1e-6f) * packet.Scale(i));
      opacity[first + i] = 1 - sum.transmittance;
    }
  }
}

void NgpKernels::UpdateGridIfDue(const GridOptions& options, int64_t step) {
  const int64_t begin = Now();
  const bool updated =
      kernels::UpdateGridIfDue(model_, options, step, threads_, grid_);
  const int64_t every = options.refine_every;
  const bool refined = every > 0 && step % every == every / 2;
  if (refined) fine_ = RefinedBits(model_, *grid_, options.length, threads_);
  if (!updated && !refined) return;
  ForgetRefinement();
  grid_time_ += (Now() - begin) * threads_;
}

KernelTimes NgpKernels::times() const {
  KernelTimes sum;
  sum.grid = 1e-9 * static_cast<double>(grid_time_);
  for (const auto& worker : workers_) {
    const PartTimes& parts = worker->packet.times();
    sum.march += 1e-9 * static_cast<double>(parts.march);
    sum.encode += 1e-9 * static_cast<double>(parts.encode);
    sum.nets += 1e-9 * static_cast<double>(parts.nets);
    sum.composite += 1e-9 * static_cast<double>(parts.composite);
    sum.backward += 1e-9 * static_cast<double>(parts.backward);
    sum.scatter += 1e-9 * static_cast<double>(worker->scatter);
    sum.adam += 1e-9 * static_cast<double>(worker->adam);
    sum.rows += worker->rows;
  }
  return sum;
}

int64_t NextRayCount(int64_t rays,
                     int64_t trained,
                     int64_t target,
                     int64_t most) {
  if (trained <= 0) return std::min(2 * rays, most);
  const int64_t wanted = rays * target / trained;
  return std::clamp(
      wanted, std::max<int64_t>(64, rays / 2), std::min(2 * rays, most));
}

}  // namespace nerfpipe::nerf::kernels
