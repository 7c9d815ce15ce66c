#include "stages/nerf/archive.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <cstring>

#include <torch/serialize/archive.h>

namespace nerfpipe::nerf {
namespace {

// Archives keep tensors as attributes of a module, where a dot means nesting.
std::string Key(std::string name) {
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

UserError Misfit(const std::string& name) {
  return UserError("the checkpoint has no fitting '" + name + "'",
                   "it belongs to a run with other options: train again");
}

}  // namespace

void Write(torch::serialize::OutputArchive& archive,
           const std::string& name,
           const torch::Tensor& tensor) {
  archive.write(Key(name), tensor.detach(), /*is_buffer=*/true);
}

void Write(torch::serialize::OutputArchive& archive,
           const std::string& name,
           const std::string& text) {
  torch::Tensor bytes =
      torch::empty({static_cast<int64_t>(text.size())}, torch::kUInt8);
  if (!text.empty()) {
    std::memcpy(bytes.data_ptr<uint8_t>(), text.data(), text.size());
  }
  Write(archive, name, bytes);
}

bool Has(torch::serialize::InputArchive& archive, const std::string& name) {
  torch::Tensor stored;
  return archive.try_read(Key(name), stored, /*is_buffer=*/true);
}

void ReadInto(torch::serialize::InputArchive& archive,
              const std::string& name,
              torch::Tensor tensor) {
  const torch::NoGradGuard no_grad;
  torch::Tensor stored;
  if (!archive.try_read(Key(name), stored, /*is_buffer=*/true) ||
      stored.sizes() != tensor.sizes() || stored.dtype() != tensor.dtype()) {
    throw Misfit(name);
  }
  tensor.copy_(stored);
}

int64_t ReadInteger(torch::serialize::InputArchive& archive,
                    const std::string& name) {
  torch::Tensor value = torch::zeros({}, torch::kInt64);
  ReadInto(archive, name, value);
  return value.item<int64_t>();
}

std::string ReadText(torch::serialize::InputArchive& archive,
                     const std::string& name) {
  torch::Tensor stored;
  if (!archive.try_read(Key(name), stored, /*is_buffer=*/true) ||
      stored.dtype() != torch::kUInt8 || stored.dim() != 1) {
    throw Misfit(name);
  }
  const torch::Tensor bytes = stored.cpu().contiguous();
  return std::string(reinterpret_cast<const char*>(bytes.data_ptr<uint8_t>()),
                     static_cast<size_t>(bytes.size(0)));
}

}  // namespace nerfpipe::nerf
