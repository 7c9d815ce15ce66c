#pragma once

// Adam (Kingma and Ba 2015) on plain arrays.

#include <cstddef>
#include <cstdint>

namespace nerfpipe::nerf::kernels {

struct AdamSettings {
  float learning_rate = 1e-2f;
  float beta1 = 0.9f;
  float beta2 = 0.99f;
  float epsilon = 1e-15f;
  float weight_decay = 0;  // L2, added to the gradient (dense form only)
};

struct AdamArrays {
  float* values;
  float* first;  // moments
  float* second;
  float* gradients;
};

// The table's form. Values, first moments and gradients are rows x kFeatures;
// a row has one second moment, of the mean square of its gradient: less to
// read and write than one per element, and no worse a step. Rows without
// gradient keep value and moments, and moments are not corrected for their
// start at zero. Looks only at blocks of kRowsPerFlag rows whose flag is set;
// clears gradients and flags again. `rows` is a multiple of kRowsPerFlag, the
// gradients are aligned to 16 bytes.
void AdamTouched(const AdamSettings& settings,
                 const AdamArrays& arrays,
                 size_t rows,
                 uint8_t* touched);

// The nets' form: all elements, bias correction for step number `step` (from
// 1). Clears the gradients.
void AdamDense(const AdamSettings& settings,
               const AdamArrays& arrays,
               size_t count,
               int64_t step);

}  // namespace nerfpipe::nerf::kernels
