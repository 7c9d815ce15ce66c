#include "stages/nerf/occupancy_grid.h"

#include "pipeline/base/error.h"
#include "stages/nerf/free_space.h"
#include "stages/nerf/seeds.h"
#include "stages/nerf/visibility.h"

#include <algorithm>
#include <cmath>

#include <ATen/Parallel.h>

namespace nerfpipe::nerf {
namespace {

// Updates during the warm-up: each visits an eighth of all cells.
constexpr int64_t kWarmupParts = 8;
// Later ones visit this part of the cells, and as many occupied ones. Cells
// that are visited too seldom decay before they are seen again: holes in the
// scene.
constexpr int64_t kSparsePart = 32;

int64_t WarmupEvery(const NgpOptions& options) {
  return std::max(1, options.grid_warmup / static_cast<int>(2 * kWarmupParts));
}

// Contract() of encoding.h for one point; returns the norm before.
inline float ContractPoint(float* x) {
  const float norm = std::max({std::abs(x[0]), std::abs(x[1]), std::abs(x[2])});
  if (norm > 1) {
    const float factor = (2 - 1 / norm) / norm;
    for (int i = 0; i < 3; ++i) {
      x[i] *= factor;
    }
  }
  return norm;
}

// What the walk along one ray needs of the grid.
struct Walk {
  const uint8_t* bits;
  int64_t resolution;
  bool bounded;
  float step;
  float cone;
  int64_t max_samples;
};

struct Chunk {
  std::vector<float> positions, depths, deltas;
  std::vector<int64_t> rays;
};

// Appends the samples of one ray. o, d: 3 numbers each.
void WalkRay(const Walk& walk,
             int64_t ray,
             const float* o,
             const float* d,
             float near,
             float far,
             float jitter,
             Chunk& out) {
  const float length = std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
  const float half = walk.bounded ? 1 : 2;
  const int r = static_cast<int>(walk.resolution);
  const float to_cells = r / (2 * half);
  // Steps are lengths in space, t is a depth.
  const auto step_at = [&](float t) {
    return std::max(walk.step, t * length * walk.cone) / length;
  };
  float t = near + jitter * step_at(near);
  for (int64_t count = 0; t < far && count < walk.max_samples;) {
    const float dt = step_at(t);
    const float world[3] = {o[0] + t * d[0], o[1] + t * d[1], o[2] + t * d[2]};
    float x[3] = {world[0], world[1], world[2]};
    const bool linear = walk.bounded || ContractPoint(x) <= 1;
    int cell[3];
    for (int i = 0; i < 3; ++i) {
      cell[i] =
          std::clamp(static_cast<int>((x[i] + half) * to_cells), 0, r - 1);
    }
    const int64_t index =
        cell[0] + walk.resolution * (cell[1] + walk.resolution * cell[2]);
    if (walk.bits[index >> 3] >> (index & 7) & 1) {
      for (int i = 0; i < 3; ++i) {
        out.positions.push_back(
            std::clamp((x[i] + half) / (2 * half), 0.0f, 1.0f));
      }
      out.depths.push_back(t);
      out.deltas.push_back(dt * length);
      out.rays.push_back(ray);
      ++count;
      t += dt;
      continue;
    }
    // To the first step behind the end of the empty cell.
    float exit = dt;
    if (linear) {
      exit = far;
      for (int i = 0; i < 3; ++i) {
        if (d[i] != 0) {
          const float wall = (cell[i] + (d[i] > 0 ? 1 : 0)) / to_cells - half;
          exit = std::min(exit, (wall - world[i]) / d[i]);
        }
      }
    }
    t += std::max(1.0f, std::ceil(exit / dt)) * dt;
  }
}

template <typename T>
torch::Tensor Joined(const std::vector<Chunk>& chunks,
                     std::vector<T> Chunk::*member,
                     torch::Dtype dtype) {
  int64_t total = 0;
  for (const Chunk& chunk : chunks) {
    total += static_cast<int64_t>((chunk.*member).size());
  }
  torch::Tensor result = torch::empty({total}, dtype);
  T* to = result.data_ptr<T>();
  for (const Chunk& chunk : chunks) {
    to = std::copy((chunk.*member).begin(), (chunk.*member).end(), to);
  }
  return result;
}

}  // namespace

OccupancyGrid::OccupancyGrid(const NgpOptions& options,
                             bool bounded,
                             uint64_t seed)
    : options_(options),
      bounded_(bounded),
      seed_(seed),
      resolution_(options.grid_resolution) {
  NERFPIPE_CHECK(resolution_ > 0 && resolution_ % 2 == 0);
  const int64_t cells = resolution_ * resolution_ * resolution_;
  values_ = torch::ones({cells}, torch::kFloat32);
  FindOccupied();
}

void OccupancyGrid::MarkEmpty(const std::vector<View>& views,
                              const SceneFrame& frame) {
  std::vector<Camera> cameras;
  std::vector<torch::Tensor> images;
  for (const View& view : views) {
    cameras.push_back(view.camera);
    if (view.image.defined()) images.push_back(view.image);
  }
  const double half = bounded_ ? 1 : 2;
  values_.masked_fill_(
      VisibleCells(cameras, frame, resolution_, half).logical_not(), -1);
  if (images.size() == cameras.size()) {
    values_.masked_fill_(EmptyCells(cameras, images, frame, resolution_, half),
                         -1);
  }
  FindOccupied();
}

void OccupancyGrid::CloseFree(const torch::Tensor& sights,
                              const SceneFrame& frame) {
  free_ = FreeCells(sights, frame, resolution_, bounded_ ? 1 : 2)
              .logical_and_(values_ >= 0);
  values_.masked_fill_(free_, -1);
  closed_ = true;
  FindOccupied();
}

bool OccupancyGrid::OpenFree() {
  if (!closed_) return false;
  values_.masked_fill_(free_, 0);
  closed_ = false;
  FindOccupied();
  return true;
}

void OccupancyGrid::UpdateIfDue(int64_t step,
                                double thickness,
                                const DensityFunction& density,
                                torch::Device device) {
  const int64_t cells = values_.size(0);
  const uint64_t seed = SeedOf(seed_, Purpose::kGrid, step);
  if (step < options_.grid_warmup) {
    const int64_t every = WarmupEvery(options_);
    if (step == 0 || step % every != 0) {
      return;
    }
    const int64_t update = step / every - 1;
    values_.copy_(
        torch::where(values_ > 0, values_ * options_.grid_decay, values_));
    Evaluate(torch::arange(update % kWarmupParts, cells, kWarmupParts),
             /*replace=*/update < kWarmupParts,
             thickness,
             seed,
             density,
             device);
  } else {
    if (step % options_.grid_every != 0) {
      return;
    }
    torch::Generator generator = at::detail::createCPUGenerator(seed + 1);
    const int64_t count = std::max<int64_t>(1, cells / kSparsePart);
    const torch::Tensor anywhere =
        torch::randint(cells, {count}, generator, torch::kInt64);
    const torch::Tensor occupied =
        torch::nonzero(values_ >= threshold_).flatten();
    torch::Tensor chosen = anywhere;
    if (occupied.size(0) > 0) {
      chosen = torch::cat(
          {anywhere,
           occupied.index_select(
               0,
               torch::randint(
                   occupied.size(0), {count}, generator, torch::kInt64))});
    }
    values_.copy_(
        torch::where(values_ > 0, values_ * options_.grid_decay, values_));
    Evaluate(chosen, /*replace=*/false, thickness, seed, density, device);
  }
  FindOccupied();
}

void OccupancyGrid::Evaluate(const torch::Tensor& all_cells,
                             bool replace,
                             double thickness,
                             uint64_t seed,
                             const DensityFunction& density,
                             torch::Device device) {
  const torch::Tensor cells = all_cells.index_select(
      0, torch::nonzero(values_.index_select(0, all_cells) >= 0).flatten());
  if (cells.size(0) == 0) {
    return;
  }
  torch::Generator generator = at::detail::createCPUGenerator(seed);
  const int64_t r = resolution_;
  const torch::Tensor corner = torch::stack({cells.remainder(r),
                                             cells.floor_divide(r).remainder(r),
                                             cells.floor_divide(r * r)},
                                            1);
  const torch::Tensor positions =
      (corner + torch::rand({cells.size(0), 3}, generator)) /
      static_cast<double>(r);
  const torch::Tensor found =
      (density(positions.to(device)).cpu() * thickness).contiguous();
  // A cell can be named twice: a loop, so that the larger value stays.
  float* values = values_.data_ptr<float>();
  const int64_t* cell = cells.data_ptr<int64_t>();
  const float* value = found.data_ptr<float>();
  for (int64_t i = 0; i < cells.size(0); ++i) {
    values[cell[i]] = replace ? value[i] : std::max(values[cell[i]], value[i]);
  }
}

void OccupancyGrid::FindOccupied() {
  const int64_t cells = values_.size(0);
  const float* values = values_.data_ptr<float>();
  double sum = 0;
  int64_t seen = 0;
  for (int64_t i = 0; i < cells; ++i) {
    if (values[i] >= 0) {
      sum += values[i];
      ++seen;
    }
  }
  threshold_ = static_cast<float>(std::min(
      options_.grid_threshold, seen > 0 ? sum / static_cast<double>(seen) : 0));
  bits_ = torch::zeros({cells / 8}, torch::kUInt8);
  uint8_t* bits = bits_.data_ptr<uint8_t>();
  for (int64_t i = 0; i < cells; ++i) {
    if (values[i] >= 0 && values[i] >= threshold_) {
      bits[i >> 3] |= static_cast<uint8_t>(1 << (i & 7));
    }
  }
}

PackedSamples OccupancyGrid::March(const Rays& rays,
                                   const torch::Tensor& jitter,
                                   const MarchRules& rules) const {
  const torch::Device device = rays.origins.device();
  const auto on_cpu = [](const torch::Tensor& tensor) {
    return tensor.to(torch::kCPU, torch::kFloat32).contiguous();
  };
  const torch::Tensor origins = on_cpu(rays.origins);
  const torch::Tensor directions = on_cpu(rays.directions);
  const torch::Tensor near = on_cpu(rays.near);
  const torch::Tensor far = on_cpu(rays.far);
  const torch::Tensor start = on_cpu(jitter);
  const Walk walk{bits_.data_ptr<uint8_t>(),
                  resolution_,
                  bounded_,
                  static_cast<float>(rules.step),
                  static_cast<float>(rules.cone),
                  rules.max_samples};
  const int64_t count = rays.size();
  constexpr int64_t kRaysOfChunk = 32;
  std::vector<Chunk> chunks((count + kRaysOfChunk - 1) / kRaysOfChunk);
  torch::Tensor offsets = torch::zeros({count + 1}, torch::kInt64);
  int64_t* offset = offsets.data_ptr<int64_t>();
  at::parallel_for(
      0,
      static_cast<int64_t>(chunks.size()),
      1,
      [&](int64_t begin, int64_t end) {
        for (int64_t c = begin; c < end; ++c) {
          const int64_t last = std::min(count, (c + 1) * kRaysOfChunk);
          for (int64_t ray = c * kRaysOfChunk; ray < last; ++ray) {
            const size_t before = chunks[c].depths.size();
            WalkRay(walk,
                    ray,
                    origins.data_ptr<float>() + 3 * ray,
                    directions.data_ptr<float>() + 3 * ray,
                    near.data_ptr<float>()[ray],
                    far.data_ptr<float>()[ray],
                    start.data_ptr<float>()[ray],
                    chunks[c]);
            offset[ray + 1] =
                static_cast<int64_t>(chunks[c].depths.size() - before);
          }
        }
      });
  PackedSamples samples;
  samples.positions =
      Joined(chunks, &Chunk::positions, torch::kFloat32).view({-1, 3});
  samples.depths = Joined(chunks, &Chunk::depths, torch::kFloat32);
  samples.deltas = Joined(chunks, &Chunk::deltas, torch::kFloat32);
  samples.rays = Joined(chunks, &Chunk::rays, torch::kInt64);
  samples.offsets = offsets.cumsum(0);
  if (!device.is_cpu()) {
    for (torch::Tensor* tensor : {&samples.positions,
                                  &samples.depths,
                                  &samples.deltas,
                                  &samples.rays,
                                  &samples.offsets}) {
      *tensor = tensor->to(device);
    }
  }
  return samples;
}

// Indices of the cells of positions.
torch::Tensor OccupancyGrid::CellsOf(const torch::Tensor& positions) const {
  const torch::Tensor cell = (positions.cpu() * resolution_)
                                 .to(torch::kInt64)
                                 .clamp(0, resolution_ - 1);
  return cell.select(1, 0) +
         resolution_ * (cell.select(1, 1) + resolution_ * cell.select(1, 2));
}

torch::Tensor OccupancyGrid::Free(const torch::Tensor& positions) const {
  return free_.defined() ? free_.index_select(0, CellsOf(positions))
                         : torch::zeros({positions.size(0)}, torch::kBool);
}

torch::Tensor OccupancyGrid::Occupied(const torch::Tensor& positions) const {
  const torch::Tensor index = CellsOf(positions);
  const torch::Tensor byte = bits_.index_select(0, index.floor_divide(8));
  return byte.to(torch::kInt64)
      .bitwise_right_shift(index.remainder(8))
      .bitwise_and(1)
      .to(torch::kBool);
}

double OccupancyGrid::OccupiedPart() const {
  const uint8_t* bits = bits_.data_ptr<uint8_t>();
  int64_t set = 0;
  for (int64_t i = 0; i < bits_.size(0); ++i) {
    set += __builtin_popcount(bits[i]);
  }
  return static_cast<double>(set) / static_cast<double>(values_.size(0));
}

void OccupancyGrid::SetValues(const torch::Tensor& values) {
  NERFPIPE_CHECK(values.sizes() == values_.sizes());
  values_.copy_(values);
  closed_ =
      free_.defined() && (values_.masked_select(free_) < 0).any().item<bool>();
  FindOccupied();
}

}  // namespace nerfpipe::nerf
