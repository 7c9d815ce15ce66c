#include "stages/nerf/ray_sampler.h"

#include "pipeline/base/error.h"
#include "stages/nerf/seeds.h"

#include <utility>
#include <vector>

namespace nerfpipe::nerf {
namespace {

std::vector<Camera> CamerasOf(const std::vector<View>& views) {
  std::vector<Camera> cameras;
  for (const View& view : views) {
    cameras.push_back(view.camera);
  }
  return cameras;
}

// P x 4, whatever the channels of the image.
torch::Tensor FourChannels(const View& view) {
  const torch::Tensor& image = view.image;
  if (!image.defined() || image.dim() != 3 || image.dtype() != torch::kUInt8 ||
      image.size(0) != view.camera.height ||
      image.size(1) != view.camera.width ||
      (image.size(2) != 3 && image.size(2) != 4)) {
    throw UserError("the image '" + view.name + "' does not fit its camera (" +
                        std::to_string(view.camera.width) + "x" +
                        std::to_string(view.camera.height) + ")",
                    "give each camera the size of its image");
  }
  const torch::Tensor flat = image.reshape({-1, image.size(2)});
  return image.size(2) == 4
             ? flat
             : torch::cat({flat, torch::full_like(flat.slice(1, 0, 1), 255)},
                          1);
}

}  // namespace

RaySampler::RaySampler(const Dataset& dataset,
                       const SceneFrame& frame,
                       SamplerOptions options,
                       torch::Device device)
    : options_(options),
      device_(device),
      cameras_(CamerasOf(dataset.train), frame, device) {
  std::vector<torch::Tensor> pixels;
  std::vector<int64_t> sizes;
  std::vector<int64_t> offsets = {0};
  for (const View& view : dataset.train) {
    pixels.push_back(FourChannels(view));
    sizes.push_back(view.camera.width);
    sizes.push_back(view.camera.height);
    offsets.push_back(offsets.back() + pixels.back().size(0));
  }
  pixels_ = torch::cat(pixels).to(device);
  sizes_ = torch::tensor(torch::ArrayRef<int64_t>(sizes), torch::kInt64)
               .view({-1, 2});
  offsets_ = torch::tensor(torch::ArrayRef<int64_t>(offsets), torch::kInt64);
}

RayBatch RaySampler::Draw(int64_t count,
                          int64_t step,
                          const RayRules& rules) const {
  torch::Generator generator =
      GeneratorOf(options_.seed, Purpose::kPixels, step);
  // Views by their share of all pixels.
  const int64_t total = offsets_[-1].item<int64_t>();
  torch::Tensor view =
      torch::searchsorted(offsets_,
                          torch::randint(total,
                                         {options_.one_image ? 1 : count},
                                         generator,
                                         torch::kInt64),
                          /*out_int32=*/false,
                          /*right=*/true) -
      1;
  if (options_.one_image) {
    view = view.expand({count}).contiguous();
  }
  const torch::Tensor size = sizes_.index_select(0, view);
  torch::Tensor first = torch::zeros_like(size);
  torch::Tensor extent = size;
  if (step < options_.precrop_steps) {
    const torch::Tensor half = size.floor_divide(2);
    const torch::Tensor reach =
        (half * options_.precrop_fraction).to(torch::kInt64).clamp_min(1);
    first = half - reach;
    extent = 2 * reach;
  }
  const torch::Tensor uniforms =
      torch::rand({count, 2}, generator, torch::kFloat64);
  const torch::Tensor place =
      first + torch::minimum((uniforms * extent).to(torch::kInt64), extent - 1);
  const torch::Tensor x = place.select(1, 0);
  const torch::Tensor y = place.select(1, 1);
  const torch::Tensor pixel =
      offsets_.index_select(0, view) + y * size.select(1, 0) + x;

  RayBatch batch;
  batch.rays =
      cameras_.Through(view.to(device_), x.to(device_), y.to(device_), rules);
  batch.rgba =
      pixels_.index_select(0, pixel.to(device_)).to(torch::kFloat32) / 255;
  return batch;
}

}  // namespace nerfpipe::nerf
