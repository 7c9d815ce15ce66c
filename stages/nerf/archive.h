#pragma once

// Tensors, numbers and text in LibTorch archives, by name. Names may have dots.

#include "stages/nerf/tensors.h"

#include <string>

namespace nerfpipe::nerf {

void Write(torch::serialize::OutputArchive& archive,
           const std::string& name,
           const torch::Tensor& tensor);
void Write(torch::serialize::OutputArchive& archive,
           const std::string& name,
           const std::string& text);

bool Has(torch::serialize::InputArchive& archive, const std::string& name);

// Reads tensor `name` into `tensor`. Throws UserError when it is absent or of
// another shape or type. So do the others.
void ReadInto(torch::serialize::InputArchive& archive,
              const std::string& name,
              torch::Tensor tensor);
int64_t ReadInteger(torch::serialize::InputArchive& archive,
                    const std::string& name);
std::string ReadText(torch::serialize::InputArchive& archive,
                     const std::string& name);

}  // namespace nerfpipe::nerf
