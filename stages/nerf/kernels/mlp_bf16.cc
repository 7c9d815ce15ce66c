#include "stages/nerf/kernels/mlp_bf16.h"

#include "stages/nerf/kernels/mlp.h"

#include <hwy/targets.h>

// Clang has no such pragma as is used below.
#if defined(__x86_64__) && !defined(__clang__)

// GCC 12 takes the undefined vectors in its own header for mistakes.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

// Everything in this file runs only where OffersBfloat16() said so. What is
// included before this line is compiled without the instructions.
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")
#include "stages/nerf/kernels/gemm_bf16.h"

namespace nerfpipe::nerf::kernels {
namespace {

using bf16::AddGradient;
using bf16::Product;
using bf16::Then;

// [inputs][outputs] in pairs of inputs, from [outputs][kInputs].
template <int kIn>
void PackForward(const float* from, int outputs, int stride, uint32_t* to) {
  for (int o = 0; o < outputs; ++o) {
    alignas(64) uint32_t pairs[kIn / 2];
    bf16::RoundRow<kIn>(from + o * kIn, pairs);
    for (int k = 0; k < kIn / 2; ++k) to[k * stride + o] = pairs[k];
  }
}

}  // namespace

void PackBf16(const NetTensors& values, Bf16Nets* nets) {
  *nets = {};
  const float* colour0 = values.colour0.data();
  PackForward<kInputs>(
      values.density0.data(), kHidden, kHidden, nets->density0_t);
  PackForward<kHidden>(
      values.density1.data(), kGeometry, kGeometry, nets->density1_t);
  PackForward<kColourInputs>(colour0, kHidden, kHidden, nets->colour0_t);
  PackForward<kHidden>(
      values.colour1.data(), kHidden, kHidden, nets->colour1_t);
  PackForward<kHidden>(
      values.colour2.data(), kColours, Bf16Nets::kLanes, nets->colour2_t);
  bf16::PairRows<kInputs>(
      values.density0.data(), kInputs, kHidden, nets->density0);
  bf16::PairRows<kHidden>(
      values.density1.data(), kHidden, kGeometry, nets->density1);
  bf16::PairRows<kGeometry>(colour0, kColourInputs, kHidden, nets->colour0);
  bf16::PairRows<kHidden>(
      values.colour1.data(), kHidden, kHidden, nets->colour1);
  bf16::PairRows<kHidden>(
      values.colour2.data(), kHidden, kColours, nets->colour2);
}

void DensityForwardBf16(const Bf16Nets& nets,
                        const DensityBlock& block,
                        size_t count) {
  Product<Then::kStoreRelu, kInputs, kHidden>(
      block.inputs, nets.density0_t, block.hidden, count);
  Product<Then::kStore, kHidden, kGeometry>(
      block.hidden, nets.density1_t, block.outputs, count);
}

void ColourForwardBf16(const Bf16Nets& nets,
                       const ColourBlock& block,
                       size_t count) {
  Product<Then::kStoreRelu, kColourInputs, kHidden>(
      block.inputs, nets.colour0_t, block.hidden0, count);
  Product<Then::kStoreRelu, kHidden, kHidden>(
      block.hidden0, nets.colour1_t, block.hidden1, count);
  Product<Then::kStore, kHidden, kColoursPadded>(
      block.hidden1, nets.colour2_t, block.outputs, count);
}

void ColourBackwardBf16(const Bf16Nets& nets,
                        const ColourBlock& block,
                        const float* d_outputs,
                        size_t count,
                        float* scratch0,
                        float* scratch1,
                        float* d_inputs,
                        float* d_nets) {
  float* d_hidden1 = scratch1;
  float* d_hidden0 = scratch0;
  AddGradient<kColours, kColoursPadded, kHidden>(
      d_outputs, block.hidden1, count, d_nets + kColour2At);
  Product<Then::kStoreMasked, kColoursPadded, kHidden>(
      d_outputs, nets.colour2, d_hidden1, count, block.hidden1);
  AddGradient<kHidden, kHidden, kHidden>(
      d_hidden1, block.hidden0, count, d_nets + kColour1At);
  Product<Then::kStoreMasked, kHidden, kHidden>(
      d_hidden1, nets.colour1, d_hidden0, count, block.hidden0);
  AddGradient<kHidden, kHidden, kColourInputs>(
      d_hidden0, block.inputs, count, d_nets + kColour0At);
  Product<Then::kStore, kHidden, kGeometry>(
      d_hidden0, nets.colour0, d_inputs, count);
}

void DensityBackwardBf16(const Bf16Nets& nets,
                         const DensityBlock& block,
                         const float* d_outputs,
                         size_t count,
                         float* scratch,
                         float* d_inputs,
                         float* d_nets) {
  AddGradient<kGeometry, kGeometry, kHidden>(
      d_outputs, block.hidden, count, d_nets + kDensity1At);
  Product<Then::kStoreMasked, kGeometry, kHidden>(
      d_outputs, nets.density1, scratch, count, block.hidden);
  AddGradient<kHidden, kHidden, kInputs>(
      scratch, block.inputs, count, d_nets + kDensity0At);
  Product<Then::kStore, kHidden, kInputs>(
      scratch, nets.density0, d_inputs, count);
}

}  // namespace nerfpipe::nerf::kernels

#pragma GCC pop_options
#pragma GCC diagnostic pop

namespace nerfpipe::nerf::kernels {

bool OffersBfloat16() {
  return (hwy::SupportedTargets() & HWY_AVX3) != 0 &&
         __builtin_cpu_supports("avx512bf16");
}

}  // namespace nerfpipe::nerf::kernels

#else  // another processor or compiler

namespace nerfpipe::nerf::kernels {

bool OffersBfloat16() { return false; }
void PackBf16(const NetTensors&, Bf16Nets*) {}
void DensityForwardBf16(const Bf16Nets&, const DensityBlock&, size_t) {}
void ColourForwardBf16(const Bf16Nets&, const ColourBlock&, size_t) {}
void ColourBackwardBf16(const Bf16Nets&,
                        const ColourBlock&,
                        const float*,
                        size_t,
                        float*,
                        float*,
                        float*,
                        float*) {}
void DensityBackwardBf16(const Bf16Nets&,
                         const DensityBlock&,
                         const float*,
                         size_t,
                         float*,
                         float*,
                         float*) {}

}  // namespace nerfpipe::nerf::kernels

#endif
