#pragma once

// The two nets of `ngp`: density 32-64-16, colour 32-64-64-3. Activations are
// row-major, one row per sample, so that a product needs no transposes.

#include "stages/nerf/kernels/mlp_bf16.h"
#include "stages/nerf/kernels/ngp_shape.h"

#include <cstddef>

namespace nerfpipe::nerf::kernels {

// Of the factors of products; sums are float.
enum class Precision { kFloat, kBfloat16 };

// What the processor offers of what is wanted.
inline Precision ChoosePrecision(bool bfloat16) {
  return bfloat16 && OffersBfloat16() ? Precision::kBfloat16
                                      : Precision::kFloat;
}

// The nets in the layouts that the products read, in one precision.
struct PackedNets {
  Precision precision = Precision::kFloat;
  Bf16Nets bf16;

  alignas(64) float density0_t[kInputs * kHidden];  // [in][out]
  alignas(64) float density1_t[kHidden * kGeometry];
  alignas(64) float colour0_t[kColourInputs * kHidden];
  alignas(64) float colour1_t[kHidden * kHidden];
  alignas(64) float colour2_t[kHidden * kColoursPadded];
  alignas(64) float density0[kHidden * kInputs];  // [out][in]
  alignas(64) float density1[kGeometry * kHidden];
  alignas(64) float colour0[kHidden * kColourInputs];
  alignas(64) float colour1[kHidden * kHidden];
  alignas(64) float colour2[kColours * kHidden];
};

// kBfloat16 only where OffersBfloat16().
void PackNets(const NetTensors& values, Precision precision, PackedNets* nets);

// Activations of a block of samples. The caller owns the memory.
struct DensityBlock {
  float* inputs;   // count x 32
  float* hidden;   // count x 64, after the rectifier
  float* outputs;  // count x 16, log density first
};

struct ColourBlock {
  float* inputs;   // count x 32
  float* hidden0;  // count x 64
  float* hidden1;  // count x 64
  float* outputs;  // count x 8, before the sigmoid; columns 3 to 7 are zero
};

void DensityForward(const PackedNets& nets,
                    const DensityBlock& block,
                    size_t count);
void ColourForward(const PackedNets& nets,
                   const ColourBlock& block,
                   size_t count);

// From d_outputs (count x 8, columns 3 to 7 zero) to d_inputs (count x 16:
// the part from the density net; directions need none). Adds to the three
// colour matrices of `d_nets`, a block of kNetSize. `scratch0` and `scratch1`
// hold count x 64 each.
void ColourBackward(const PackedNets& nets,
                    const ColourBlock& block,
                    const float* d_outputs,
                    size_t count,
                    float* scratch0,
                    float* scratch1,
                    float* d_inputs,
                    float* d_nets);

// From d_outputs (count x 16) to d_inputs (count x 32); as above.
void DensityBackward(const PackedNets& nets,
                     const DensityBlock& block,
                     const float* d_outputs,
                     size_t count,
                     float* scratch,
                     float* d_inputs,
                     float* d_nets);

}  // namespace nerfpipe::nerf::kernels
