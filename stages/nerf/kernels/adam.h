#pragma once

// Adam (Kingma and Ba 2015) on plain arrays, and what is left of it for a table
// whose rows are seldom visited.

#include "stages/nerf/kernels/ngp_shape.h"

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

// Values and gradients are rows x kFeatures; a row has one second moment.
struct TableArrays {
  float* values;
  Half* halves;  // the values rounded, for the encoding
  float* second;
  float* gradients;
};

// The table's form: no first moment, and one second moment for a row, of the
// mean square of its gradient: less to read and write, and better steps, as a
// row's last visit may be long ago. Rows without gradient keep value and
// moment, which is not corrected for its start at zero. Looks only at blocks of
// kRowsPerFlag rows whose flag is set; clears gradients and flags again.
// Returns the number of these blocks. `rows` is a multiple of kRowsPerFlag, the
// gradients are aligned to 16 bytes. beta1 and weight_decay are not used.
size_t AdamTouched(const AdamSettings& settings,
                   const TableArrays& arrays,
                   size_t rows,
                   uint8_t* touched);

// The nets' form: all elements, bias correction for step number `step` (from
// 1). Clears the gradients.
void AdamDense(const AdamSettings& settings,
               const AdamArrays& arrays,
               size_t count,
               int64_t step);

}  // namespace nerfpipe::nerf::kernels
