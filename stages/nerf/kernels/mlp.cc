#include "stages/nerf/kernels/mlp.h"

#include <algorithm>

// The order matters: foreach_target.h reads this file once per SIMD level.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "stages/nerf/kernels/mlp.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "stages/nerf/kernels/gemm-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace nerfpipe::nerf::kernels {
namespace HWY_NAMESPACE {

// The rows of `data` as the left operand: (sample, channel).
Left Rows(const float* data, size_t width) { return {data, width, 1}; }
// Its transpose: (channel, sample), for gradients of matrices.
Left Columns(const float* data, size_t width) { return {data, 1, width}; }

void DensityForwardT(const PackedNets& nets,
                     const DensityBlock& block,
                     size_t count) {
  Gemm<Epilogue::kStoreRelu, kHidden>(Rows(block.inputs, kInputs),
                                      {nets.density0_t, kHidden},
                                      {block.hidden, kHidden},
                                      count,
                                      kInputs);
  Gemm<Epilogue::kStore, kGeometry>(Rows(block.hidden, kHidden),
                                    {nets.density1_t, kGeometry},
                                    {block.outputs, kGeometry},
                                    count,
                                    kHidden);
}

void ColourForwardT(const PackedNets& nets,
                    const ColourBlock& block,
                    size_t count) {
  Gemm<Epilogue::kStoreRelu, kHidden>(Rows(block.inputs, kColourInputs),
                                      {nets.colour0_t, kHidden},
                                      {block.hidden0, kHidden},
                                      count,
                                      kColourInputs);
  Gemm<Epilogue::kStoreRelu, kHidden>(Rows(block.hidden0, kHidden),
                                      {nets.colour1_t, kHidden},
                                      {block.hidden1, kHidden},
                                      count,
                                      kHidden);
  Gemm<Epilogue::kStore, kColoursPadded>(Rows(block.hidden1, kHidden),
                                         {nets.colour2_t, kColoursPadded},
                                         {block.outputs, kColoursPadded},
                                         count,
                                         kHidden);
}

void ColourBackwardT(const PackedNets& nets,
                     const ColourBlock& block,
                     const float* d_outputs,
                     size_t count,
                     float* scratch0,
                     float* scratch1,
                     float* d_inputs,
                     float* d_nets) {
  float* d_hidden1 = scratch1;
  float* d_hidden0 = scratch0;
  Gemm<Epilogue::kAccumulate, kHidden>(Columns(d_outputs, kColoursPadded),
                                       {block.hidden1, kHidden},
                                       {d_nets + kColour2At, kHidden},
                                       kColours,
                                       count);
  Gemm<Epilogue::kStoreMasked, kHidden>(Rows(d_outputs, kColoursPadded),
                                        {nets.colour2, kHidden},
                                        {d_hidden1, kHidden},
                                        count,
                                        kColours,
                                        block.hidden1);
  Gemm<Epilogue::kAccumulate, kHidden>(Columns(d_hidden1, kHidden),
                                       {block.hidden0, kHidden},
                                       {d_nets + kColour1At, kHidden},
                                       kHidden,
                                       count);
  Gemm<Epilogue::kStoreMasked, kHidden>(Rows(d_hidden1, kHidden),
                                        {nets.colour1, kHidden},
                                        {d_hidden0, kHidden},
                                        count,
                                        kHidden,
                                        block.hidden0);
  Gemm<Epilogue::kAccumulate, kColourInputs>(
      Columns(d_hidden0, kHidden),
      {block.inputs, kColourInputs},
      {d_nets + kColour0At, kColourInputs},
      kHidden,
      count);
  Gemm<Epilogue::kStore, kGeometry>(Rows(d_hidden0, kHidden),
                                    {nets.colour0, kColourInputs},
                                    {d_inputs, kGeometry},
                                    count,
                                    kHidden);
}

void DensityBackwardT(const PackedNets& nets,
                      const DensityBlock& block,
                      const float* d_outputs,
                      size_t count,
                      float* scratch,
                      float* d_inputs,
                      float* d_nets) {
  Gemm<Epilogue::kAccumulate, kHidden>(Columns(d_outputs, kGeometry),
                                       {block.hidden, kHidden},
                                       {d_nets + kDensity1At, kHidden},
                                       kGeometry,
                                       count);
  Gemm<Epilogue::kStoreMasked, kHidden>(Rows(d_outputs, kGeometry),
                                        {nets.density1, kHidden},
                                        {scratch, kHidden},
                                        count,
                                        kGeometry,
                                        block.hidden);
  Gemm<Epilogue::kAccumulate, kInputs>(Columns(scratch, kHidden),
                                       {block.inputs, kInputs},
                                       {d_nets + kDensity0At, kInputs},
                                       kHidden,
                                       count);
  Gemm<Epilogue::kStore, kInputs>(Rows(scratch, kHidden),
                                  {nets.density0, kInputs},
                                  {d_inputs, kInputs},
                                  count,
                                  kHidden);
}

}  // namespace HWY_NAMESPACE
}  // namespace nerfpipe::nerf::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nerfpipe::nerf::kernels {
namespace {

// Copies `from` (outputs x inputs) as it is and transposed.
void PackMatrix(std::span<const float> from,
                int inputs,
                int outputs,
                int outputs_padded,
                float* plain,
                float* transposed) {
  std::copy(from.begin(), from.end(), plain);
  std::fill(transposed, transposed + inputs * outputs_padded, 0.0f);
  for (int o = 0; o < outputs; ++o) {
    for (int i = 0; i < inputs; ++i) {
      transposed[i * outputs_padded + o] = from[o * inputs + i];
    }
  }
}

HWY_EXPORT(DensityForwardT);
HWY_EXPORT(ColourForwardT);
HWY_EXPORT(ColourBackwardT);
HWY_EXPORT(DensityBackwardT);

}  // namespace

void PackNets(const NetTensors& values, Precision precision, PackedNets* nets) {
  nets->precision = precision;
  if (precision == Precision::kBfloat16) {
    PackBf16(values, &nets->bf16);
    return;
  }
  PackMatrix(values.density0,
             kInputs,
             kHidden,
             kHidden,
             nets->density0,
             nets->density0_t);
  PackMatrix(values.density1,
             kHidden,
             kGeometry,
             kGeometry,
             nets->density1,
             nets->density1_t);
  PackMatrix(values.colour0,
             kColourInputs,
             kHidden,
             kHidden,
             nets->colour0,
             nets->colour0_t);
  PackMatrix(values.colour1,
             kHidden,
             kHidden,
             kHidden,
             nets->colour1,
             nets->colour1_t);
  PackMatrix(values.colour2,
             kHidden,
             kColours,
             kColoursPadded,
             nets->colour2,
             nets->colour2_t);
}

void DensityForward(const PackedNets& nets,
                    const DensityBlock& block,
                    size_t count) {
  if (nets.precision == Precision::kBfloat16) {
    return DensityForwardBf16(nets.bf16, block, count);
  }
  HWY_DYNAMIC_DISPATCH(DensityForwardT)(nets, block, count);
}

void ColourForward(const PackedNets& nets,
                   const ColourBlock& block,
                   size_t count) {
  if (nets.precision == Precision::kBfloat16) {
    return ColourForwardBf16(nets.bf16, block, count);
  }
  HWY_DYNAMIC_DISPATCH(ColourForwardT)(nets, block, count);
}

void ColourBackward(const PackedNets& nets,
                    const ColourBlock& block,
                    const float* d_outputs,
                    size_t count,
                    float* scratch0,
                    float* scratch1,
                    float* d_inputs,
                    float* d_nets) {
  if (nets.precision == Precision::kBfloat16) {
    return ColourBackwardBf16(nets.bf16,
                              block,
                              d_outputs,
                              count,
                              scratch0,
                              scratch1,
                              d_inputs,
                              d_nets);
  }
  HWY_DYNAMIC_DISPATCH(ColourBackwardT)
  (nets, block, d_outputs, count, scratch0, scratch1, d_inputs, d_nets);
}

void DensityBackward(const PackedNets& nets,
                     const DensityBlock& block,
                     const float* d_outputs,
                     size_t count,
                     float* scratch,
                     float* d_inputs,
                     float* d_nets) {
  if (nets.precision == Precision::kBfloat16) {
    return DensityBackwardBf16(
        nets.bf16, block, d_outputs, count, scratch, d_inputs, d_nets);
  }
  HWY_DYNAMIC_DISPATCH(DensityBackwardT)
  (nets, block, d_outputs, count, scratch, d_inputs, d_nets);
}

}  // namespace nerfpipe::nerf::kernels
#endif  // HWY_ONCE
