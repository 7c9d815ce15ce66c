#pragma once

// The sizes of the `ngp` model as the fused kernels know them: hash-grid
// levels, widths of the two nets, and how its parameters lie in memory.

#include <array>
#include <cstdint>
#include <span>

namespace nerfpipe::nerf::kernels {

// Fixed by the kernels; other models take the LibTorch path.
inline constexpr int kLevels = 8;
inline constexpr int kFeatures = 4;                  // per table row
inline constexpr int kInputs = kLevels * kFeatures;  // of the density net
inline constexpr int kHidden = 64;                   // width of all layers
inline constexpr int kGeometry = 16;                 // of the density net
inline constexpr int kHarmonics = 16;                // degree 4
inline constexpr int kColourInputs = kGeometry + kHarmonics;
inline constexpr int kColours = 3;
// The last layer's columns, padded with zeros to a short vector.
inline constexpr int kColoursPadded = 8;

// The density before its exponential is kept in this range.
inline constexpr float kLargestLogDensity = 15.0f;

struct NgpShape {
  int log2_table = 18;  // rows of a level at most, as a power of two
  int base_resolution = 16;
  int finest_resolution = 1024;
  // True: all of space, contracted to [-2, 2]^3 by the max-norm. False: the
  // box [-1, 1]^3.
  bool contracted = false;
};

// One resolution of the grid. A point x in [0, 1]^3 lies at x * scale + 0.5.
struct GridLevel {
  float scale = 0;
  uint32_t resolution = 0;
  uint32_t first_row = 0;
  uint32_t rows = 0;  // a multiple of eight
  bool hashed = false;
};

// One flag tells that some of so many rows have a gradient.
inline constexpr uint32_t kRowsPerFlag = 4;

using GridLevels = std::array<GridLevel, kLevels>;

// Levels after Mueller et al. 2022, section 3, with tiny-cuda-nn's rounding.
GridLevels MakeGridLevels(const NgpShape& shape);

// Rows of all levels together.
int64_t TableRows(const GridLevels& levels);

// Matrices are row-major [outputs][inputs], as torch::nn::Linear has them; no
// layer has a bias. The colour net's inputs are the 16 outputs of the density
// net, then the 16 harmonics.
struct NetTensors {
  std::span<float> density0;  // 64 x 32
  std::span<float> density1;  // 16 x 64
  std::span<float> colour0;   // 64 x 32
  std::span<float> colour1;   // 64 x 64
  std::span<float> colour2;   // 3 x 64

  std::array<std::span<float>, 5> Matrices() const {
    return {density0, density1, colour0, colour1, colour2};
  }
};

struct NgpTensors : NetTensors {
  std::span<float> table;  // TableRows x kFeatures
};

// IEEE binary16, as bits.
using Half = uint16_t;

// Where each matrix starts in one block that holds all five.
inline constexpr int kDensity0At = 0;
inline constexpr int kDensity1At = kDensity0At + kHidden * kInputs;
inline constexpr int kColour0At = kDensity1At + kGeometry * kHidden;
inline constexpr int kColour1At = kColour0At + kHidden * kColourInputs;
inline constexpr int kColour2At = kColour1At + kHidden * kHidden;
inline constexpr int kNetSize = kColour2At + kColours * kHidden;

}  // namespace nerfpipe::nerf::kernels
