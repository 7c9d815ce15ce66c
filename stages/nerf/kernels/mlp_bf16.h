#pragma once

// The nets of `ngp` with factors in bfloat16 and sums in float, for x86
// processors that multiply bfloat16 (AVX512_BF16: Zen 4, Cooper Lake, and
// later) at twice the speed of float. Activations stay float in memory: the
// blocks are those of mlp.h.

#include "stages/nerf/kernels/ngp_shape.h"

#include <cstddef>
#include <cstdint>

namespace nerfpipe::nerf::kernels {

struct ColourBlock;
struct DensityBlock;

// Whether this processor has the instructions and Highway may use AVX-512.
bool OffersBfloat16();

// The nets as right operands. Two rows that follow each other along the sum
// stand side by side: element [k][n] is (B[2k][n], B[2k + 1][n]), the first in
// the lower half. Rows are padded to whole vectors with zeros.
struct Bf16Nets {
  static constexpr int kLanes = 16;

  // Forward, [in / 2][out].
  alignas(64) uint32_t density0_t[kInputs / 2 * kHidden];
  alignas(64) uint32_t density1_t[kHidden / 2 * kGeometry];
  alignas(64) uint32_t colour0_t[kColourInputs / 2 * kHidden];
  alignas(64) uint32_t colour1_t[kHidden / 2 * kHidden];
  alignas(64) uint32_t colour2_t[kHidden / 2 * kLanes];
  // Backward, [out / 2][in]; of colour0 only the part from the density net.
  alignas(64) uint32_t density0[kHidden / 2 * kInputs];
  alignas(64) uint32_t density1[kGeometry / 2 * kHidden];
  alignas(64) uint32_t colour0[kHidden / 2 * kGeometry];
  alignas(64) uint32_t colour1[kHidden / 2 * kHidden];
  alignas(64) uint32_t colour2[kColoursPadded / 2 * kHidden];
};

void PackBf16(const NetTensors& values, Bf16Nets* nets);

// As the functions of mlp.h of the same name.
void DensityForwardBf16(const Bf16Nets& nets,
                        const DensityBlock& block,
                        size_t count);
void ColourForwardBf16(const Bf16Nets& nets,
                       const ColourBlock& block,
                       size_t count);
void ColourBackwardBf16(const Bf16Nets& nets,
                        const ColourBlock& block,
                        const float* d_outputs,
                        size_t count,
                        float* scratch0,
                        float* scratch1,
                        float* d_inputs,
                        float* d_nets);
void DensityBackwardBf16(const Bf16Nets& nets,
                         const DensityBlock& block,
                         const float* d_outputs,
                         size_t count,
                         float* scratch,
                         float* d_inputs,
                         float* d_nets);

}  // namespace nerfpipe::nerf::kernels
