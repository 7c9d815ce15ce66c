#include "stages/nerf/ray_sampler.h"

#include "pipeline/base/error.h"
#include "stages/nerf/kernels/counter_random.h"
#include "stages/nerf/seeds.h"

#include <algorithm>
#include <vector>

#include <ATen/Parallel.h>

namespace nerfpipe::nerf {
namespace {

// Of one pixel. Where most of the images is void, some of it stays in the
// batch, which keeps the place of nothing from filling up unseen.
constexpr int64_t kMostDraws = 8;

std::vector<Camera> CamerasOf(const std::vector<View>& views) {
  std::vector<Camera> cameras;
  for (const View& view : views) {
    cameras.push_back(view.camera);
  }
  return cameras;
}

// P x 4.
torch::Tensor FourChannels(const torch::Tensor& image) {
  const torch::Tensor flat = image.reshape({-1, image.size(2)});
  return image.size(2) == 4
             ? flat
             : torch::cat({flat, torch::full_like(flat.slice(1, 0, 1), 255)},
                          1);
}

}  // namespace

torch::Tensor CheckedImage(const View& view) {
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
  return image.contiguous();
}

torch::Tensor CheckedMask(const View& view) {
  const torch::Tensor& mask = view.mask;
  if (!mask.defined()) return mask;
  if (mask.dim() != 2 || mask.dtype() != torch::kUInt8 ||
      mask.size(0) != view.camera.height || mask.size(1) != view.camera.width) {
    throw UserError("the mask of the image '" + view.name +
                        "' has another size than the image",
                    "give each mask the size of its image");
  }
  return mask.contiguous();
}

RaySampler::RaySampler(const Dataset& dataset,
                       const SceneFrame& frame,
                       SamplerOptions options,
                       torch::Device device)
    : options_(options),
      device_(device),
      cameras_(CamerasOf(dataset.train), frame, device),
      first_pixel_({0}),
      first_used_({0}) {
  std::vector<torch::Tensor> copies;
  for (const View& view : dataset.train) {
    images_.push_back(CheckedImage(view));
    const torch::Tensor& image = images_.back();
    const int64_t pixels = image.size(0) * image.size(1);
    first_pixel_.push_back(first_pixel_.back() + pixels);
    const torch::Tensor mask = CheckedMask(view);
    used_.emplace_back();
    if (mask.defined()) used_.back().emplace(mask);
    first_used_.push_back(first_used_.back() +
                          (mask.defined() ? used_.back()->Count() : pixels));
    if (options.skip_void) void_.emplace_back(image);
    if (!device.is_cpu()) copies.push_back(FourChannels(image).to(device));
  }
  if (first_used_.back() == 0) {
    throw UserError("the masks leave no pixel to train on",
                    "use white for what is to be trained on");
  }
  if (!device.is_cpu()) pixels_ = torch::cat(copies);
}

const uint8_t* RaySampler::PixelAt(int64_t view, int64_t x, int64_t y) const {
  const torch::Tensor& image = images_[view];
  return image.data_ptr<uint8_t>() + image.size(2) * (y * image.size(1) + x);
}

RaySampler::Pixels RaySampler::Choose(int64_t count, int64_t step) const {
  using kernels::RandomBits;
  const uint64_t key = SeedOf(options_.seed, Purpose::kPixels, step);
  // Below n, from 64 bits: the part of 2^64 that 128-bit arithmetic keeps.
  const auto below = [](uint64_t bits, int64_t n) {
    return static_cast<int64_t>(
        (static_cast<unsigned __int128>(bits) * static_cast<uint64_t>(n)) >>
        64);
  };
  Pixels pixels = {torch::empty({count}, torch::kInt64),
                   torch::empty({count}, torch::kInt64),
                   torch::empty({count}, torch::kInt64)};
  int64_t* views = pixels.view.data_ptr<int64_t>();
  int64_t* columns = pixels.x.data_ptr<int64_t>();
  int64_t* rows = pixels.y.data_ptr<int64_t>();
  const auto draw = [&](int64_t i, uint64_t first) {
    // Views by their share of all pixels.
    const uint64_t common = options_.one_image ? 0 : first;
    const int64_t any = below(RandomBits(key, common), first_used_.back());
    views[i] = std::upper_bound(first_used_.begin(), first_used_.end(), any) -
               first_used_.begin() - 1;
    const torch::Tensor& image = images_[views[i]];
    if (const auto& used = used_[views[i]]) {
      const int64_t place =
          used->At(below(RandomBits(key, first + 1), used->Count()));
      columns[i] = place % image.size(1);
      rows[i] = place / image.size(1);
      return;
    }
    const auto along = [&](int64_t size, uint64_t bits) {
      if (step >= options_.precrop_steps) return below(bits, size);
      const int64_t reach = std::max<int64_t>(
          1, static_cast<int64_t>(size / 2 * options_.precrop_fraction));
      return size / 2 - reach + below(bits, 2 * reach);
    };
    columns[i] = along(image.size(1), RandomBits(key, first + 1));
    rows[i] = along(image.size(0), RandomBits(key, first + 2));
  };
  at::parallel_for(0, count, kRaysPerTask, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      for (int64_t again = 0; again < kMostDraws; ++again) {
        draw(i, 3 * static_cast<uint64_t>(i + again * count));
        if (void_.empty() || !void_[views[i]].Has(columns[i], rows[i])) break;
      }
      // ColoursOnCpu() reads it when the rays are made, on the same thread.
      if (device_.is_cpu()) {
        __builtin_prefetch(PixelAt(views[i], columns[i], rows[i]));
      }
    }
  });
  return pixels;
}

torch::Tensor RaySampler::ColoursOnCpu(const Pixels& pixels) const {
  const int64_t count = pixels.view.size(0);
  const int64_t* views = pixels.view.data_ptr<int64_t>();
  const int64_t* columns = pixels.x.data_ptr<int64_t>();
  const int64_t* rows = pixels.y.data_ptr<int64_t>();
  const torch::Tensor rgba = torch::ones({count, 4});
  float* to = rgba.data_ptr<float>();
  at::parallel_for(0, count, kRaysPerTask, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t channels = images_[views[i]].size(2);
      const uint8_t* pixel = PixelAt(views[i], columns[i], rows[i]);
      for (int64_t c = 0; c < channels; ++c) {
        to[4 * i + c] = static_cast<float>(pixel[c]) / 255;
      }
    }
  });
  return rgba;
}

torch::Tensor RaySampler::ColoursOnDevice(const Pixels& pixels) const {
  torch::Tensor index = torch::empty_like(pixels.view);
  for (int64_t i = 0; i < index.size(0); ++i) {
    const int64_t view = pixels.view.data_ptr<int64_t>()[i];
    index.data_ptr<int64_t>()[i] =
        first_pixel_[view] +
        pixels.y.data_ptr<int64_t>()[i] * images_[view].size(1) +
        pixels.x.data_ptr<int64_t>()[i];
  }
  return pixels_.index_select(0, index.to(device_)).to(torch::kFloat32) / 255;
}

RayBatch RaySampler::Draw(int64_t count,
                          int64_t step,
                          const RayRules& rules) const {
  const Pixels pixels = Choose(count, step);
  RayBatch batch;
  batch.rays = cameras_.Through(pixels.view.to(device_),
                                pixels.x.to(device_),
                                pixels.y.to(device_),
                                rules);
  batch.rgba =
      device_.is_cpu() ? ColoursOnCpu(pixels) : ColoursOnDevice(pixels);
  return batch;
}

}  // namespace nerfpipe::nerf
