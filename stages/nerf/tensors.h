#pragma once

// What of LibTorch the trainer sees: tensors, their functions, and the names of
// archives. <torch/torch.h> has modules, optimizers and data loaders beside
// them and takes more than twice as long to compile.

// First, since <torch/types.h> has vectors of what it only declares, which
// Clang refuses.
#include <ATen/core/ivalue.h>
#include <torch/types.h>
#include <torch/utils.h>

namespace torch::serialize {

class InputArchive;
class OutputArchive;

}  // namespace torch::serialize
