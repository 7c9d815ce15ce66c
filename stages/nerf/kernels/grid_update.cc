#include "stages/nerf/kernels/grid_update.h"

#include "stages/nerf/kernels/counter_random.h"

#include <algorithm>
#include <array>

namespace nerfpipe::nerf::kernels {
namespace {

constexpr size_t kBlock = 256;       // points looked at together
constexpr int64_t kWarmupParts = 8;  // of all cells, one per update
// Fewer visits, and thin surfaces decay between two of them.
constexpr uint32_t kSparsePart = 32;

// Memory of one block.
struct Points256 {
  float x[kBlock + 16] = {};
  float y[kBlock + 16] = {};
  float z[kBlock + 16] = {};
  float inputs[kBlock * kInputs];
  float hidden[kBlock * kHidden];
  float outputs[kBlock * kGeometry];
  float log_density[kBlock];
  float length[kBlock];
  float density[kBlock];
  float transparency[kBlock];
};

// A random point of each cell.
void PlacePoints(const uint32_t* cells,
                 size_t first,
                 size_t count,
                 uint64_t key,
                 Points256* block) {
  const auto place = [](uint32_t cell, uint64_t bits) {
    const float inside = static_cast<float>(bits & 0xffff) / 65536;
    return (static_cast<float>(cell) + inside) / kGridSide;
  };
  for (size_t i = 0; i < count; ++i) {
    const uint32_t cell = cells[first + i];
    const uint64_t bits = RandomBits(key, first + i);
    block->x[i] = place(cell % kGridSide, bits);
    block->y[i] = place(cell / kGridSide % kGridSide, bits >> 16);
    block->z[i] = place(cell / (kGridSide * kGridSide), bits >> 32);
  }
}

// Optical thickness of `length` at the points of a block.
void FindThickness(const Model& model,
                   size_t count,
                   float length,
                   Points256* block,
                   float* found) {
  EncodePoints(model.levels,
               model.table,
               {block->x, block->y, block->z},
               count,
               block->inputs);
  DensityForward(
      model.nets, {block->inputs, block->hidden, block->outputs}, count);
  for (size_t i = 0; i < kBlock; ++i) {
    block->log_density[i] = i < count ? block->outputs[i * kGeometry] : 0;
    block->length[i] = length;
  }
  ComputeOpacities(
      {block->log_density, block->length, block->density, block->transparency},
      count);
  for (size_t i = 0; i < count; ++i) found[i] = block->density[i] * length;
}

// An eighth of a cell is looked at in four points, no two of them on a line
// along an axis.
constexpr size_t kProbes = 4;
constexpr size_t kCellProbes = 8 * kProbes;

// The probes of `count` cells, eighth by eighth; bits 0 to 2 of an eighth's
// number are its place along x, y and z.
void PlaceProbes(const uint32_t* cells, size_t count, Points256* block) {
  const auto place = [](uint32_t cell, size_t half, size_t quarter) {
    const float inside = 0.5f * static_cast<float>(half) + 0.125f +
                         0.25f * static_cast<float>(quarter);
    return (static_cast<float>(cell) + inside) / kGridSide;
  };
  for (size_t i = 0; i < count * kCellProbes; ++i) {
    const uint32_t cell = cells[i / kCellProbes];
    const size_t eighth = i / kProbes % 8;
    const size_t probe = i % kProbes;
    const size_t x = probe & 1, y = probe >> 1;
    block->x[i] = place(cell % kGridSide, eighth & 1, x);
    block->y[i] = place(cell / kGridSide % kGridSide, eighth >> 1 & 1, y);
    block->z[i] = place(cell / (kGridSide * kGridSide), eighth >> 2, x ^ y);
  }
}

std::vector<uint32_t> SparseCells(const OccupancyGrid& grid, uint64_t key) {
  constexpr uint32_t kCount = kGridCells / kSparsePart;
  const std::vector<uint32_t>& occupied = grid.occupied();
  std::vector<uint32_t> cells;
  cells.reserve(2 * kCount);
  // One of each run of cells, ascending: neighbours share rows of the table.
  for (uint32_t i = 0; i < kCount; ++i) {
    const uint32_t cell =
        i * kSparsePart + RandomBelow(RandomBits(key, 2 * i), kSparsePart);
    if (grid.thickness()[cell] >= 0) cells.push_back(cell);
  }
  const uint64_t size = occupied.size();
  const uint64_t count = std::min<uint64_t>(kCount, size);
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t begin = i * size / count;
    const uint64_t end = (i + 1) * size / count;
    cells.push_back(
        occupied[begin + RandomBelow(RandomBits(key, 2 * i + 1),
                                     static_cast<uint32_t>(end - begin))]);
  }
  return cells;
}

}  // namespace

void UpdateCells(const Model& model,
                 const std::vector<uint32_t>& cells,
                 bool replace,
                 const GridOptions& options,
                 int64_t step,
                 int threads,
                 OccupancyGrid* grid) {
  const std::span<float> thickness = grid->thickness();
  const uint64_t key = RandomKey(options.seed, step, RandomUse::kGridPoint);
  std::vector<float> found(cells.size());
  const int64_t blocks =
      static_cast<int64_t>((cells.size() + kBlock - 1) / kBlock);
#pragma omp parallel num_threads(threads)
  {
    std::vector<Points256> memory(1);
#pragma omp for schedule(dynamic, 4)
    for (int64_t b = 0; b < blocks; ++b) {
      const size_t first = static_cast<size_t>(b) * kBlock;
      const size_t count = std::min(kBlock, cells.size() - first);
      PlacePoints(cells.data(), first, count, key, memory.data());
      FindThickness(
          model, count, options.length, memory.data(), found.data() + first);
    }
#pragma omp for schedule(static)
    for (size_t i = 0; i < kGridCells; ++i) {
      if (thickness[i] > 0) thickness[i] *= options.decay;
    }
  }
  for (size_t i = 0; i < cells.size(); ++i) {
    float& value = thickness[cells[i]];
    if (value < 0) continue;
    value = replace ? found[i] : std::max(value, found[i]);
  }
  grid->Rebuild(options.threshold, threads);
}

std::optional<OccupancyBits> RefinedBits(const Model& model,
                                         const OccupancyGrid& grid,
                                         float length,
                                         int threads) {
  constexpr size_t kCells = kBlock / kCellProbes;
  const std::vector<uint32_t>& occupied = grid.occupied();
  if (occupied.size() > kGridCells / 8) return std::nullopt;
  const float limit = grid.limit();
  std::vector<uint8_t> eighths(occupied.size());  // a bit for each that is kept
  const int64_t blocks =
      static_cast<int64_t>((occupied.size() + kCells - 1) / kCells);
#pragma omp parallel num_threads(threads)
  {
    std::vector<Points256> memory(1);
    std::array<float, kBlock> found;
#pragma omp for schedule(dynamic, 16)
    for (int64_t b = 0; b < blocks; ++b) {
      const size_t first = static_cast<size_t>(b) * kCells;
      const size_t count = std::min(kCells, occupied.size() - first);
      PlaceProbes(occupied.data() + first, count, memory.data());
      FindThickness(
          model, count * kCellProbes, length, memory.data(), found.data());
      for (size_t i = 0; i < count * kCellProbes; ++i) {
        if (!(found[i] > limit)) continue;
        eighths[first + i / kCellProbes] |=
            static_cast<uint8_t>(1u << (i / kProbes % 8));
      }
    }
  }
  OccupancyBits bits(2 * kGridSide);
  bool any = false;
  for (size_t i = 0; i < occupied.size(); ++i) {
    const uint32_t cell = occupied[i];
    const uint32_t x = 2 * (cell % kGridSide);
    const uint32_t y = 2 * (cell / kGridSide % kGridSide);
    const uint32_t z = 2 * (cell / (kGridSide * kGridSide));
    for (uint32_t e = 0; e < 8; ++e) {
      if ((eighths[i] >> e & 1) == 0) continue;
      bits.Set(x + (e & 1), y + (e >> 1 & 1), z + (e >> 2));
      any = true;
    }
  }
  if (!any) return std::nullopt;
  bits.MeasureClearance();
  return bits;
}

bool UpdateGridIfDue(const Model& model,
                     const GridOptions& options,
                     int64_t step,
                     int threads,
                     OccupancyGrid* grid) {
  if (step >= options.warmup) {
    if (step % options.every != 0) return false;
    const uint64_t key = RandomKey(options.seed, step, RandomUse::kGridCell);
    UpdateCells(model,
                SparseCells(*grid, key),
                /*replace=*/false,
                options,
                step,
                threads,
                grid);
    return true;
  }
  const int64_t every =
      std::max<int64_t>(1, options.warmup / (2 * kWarmupParts));
  if (step == 0 || step % every != 0) return false;
  const int64_t update = step / every - 1;
  std::vector<uint32_t> cells;
  for (size_t i = static_cast<size_t>(update % kWarmupParts); i < kGridCells;
       i += kWarmupParts) {
    if (grid->thickness()[i] >= 0) cells.push_back(static_cast<uint32_t>(i));
  }
  UpdateCells(model,
              cells,
              /*replace=*/update < kWarmupParts,
              options,
              step,
              threads,
              grid);
  return true;
}

}  // namespace nerfpipe::nerf::kernels
