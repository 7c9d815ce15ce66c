#include "stages/nerf/splat/gaussian_set.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

namespace nerfpipe::nerf::splat {
namespace {

constexpr float kHarmonic0 = 0.28209479177f;

float Logit(float p) { return std::log(p / (1 - p)); }

// 21 bits with two zeros between each and the next.
uint64_t Spread(uint64_t v) {
  v = (v | v << 32) & 0x1f00000000ffffu;
  v = (v | v << 16) & 0x1f0000ff0000ffu;
  v = (v | v << 8) & 0x100f00f00f00f00fu;
  v = (v | v << 4) & 0x10c30c30c30c30c3u;
  return (v | v << 2) & 0x1249249249249249u;
}

// Along a curve that keeps what is near together; all of space has a place.
uint64_t MortonCode(float x, float y, float z) {
  const auto cell = [](float v) {
    const double within = v / (1 + std::abs(static_cast<double>(v)));
    return static_cast<uint64_t>((0.5 * within + 0.5) * 2097151);
  };
  return Spread(cell(x)) | Spread(cell(y)) << 1 | Spread(cell(z)) << 2;
}

}  // namespace

GaussianSet::GaussianSet(int degree, int64_t capacity)
    : degree_(degree),
      rows_(RowsOf(degree)),
      capacity_((capacity + static_cast<int64_t>(kBlock) - 1) /
                static_cast<int64_t>(kBlock) * static_cast<int64_t>(kBlock)) {
  const int64_t block = kBlock;
  const std::vector<int64_t> shape = {capacity_ / block, rows_, block};
  values_ = torch::zeros(shape);
  first_ = torch::zeros(shape, torch::kBFloat16);
  second_ = torch::zeros(shape, torch::kBFloat16);
  for (torch::Tensor* one : {&smoothing_, &errors_}) {
    *one = torch::zeros({capacity_});
  }
}

Gaussians GaussianSet::gaussians() const {
  Gaussians gaussians;
  gaussians.values = values_.data_ptr<float>();
  gaussians.smoothing = smoothing_.data_ptr<float>();
  gaussians.count = static_cast<size_t>(count_);
  gaussians.rows = static_cast<int>(rows_);
  return gaussians;
}

MomentArrays GaussianSet::moments() const {
  return {reinterpret_cast<uint16_t*>(first_.data_ptr()),
          reinterpret_cast<uint16_t*>(second_.data_ptr())};
}

float GaussianSet::OpacityOf(int64_t i) const {
  return 1 / (1 + std::exp(-at(i, kOpacityRow)));
}

void GaussianSet::Add(const NewGaussian& gaussian) {
  if (count_ == capacity_) return;
  const int64_t i = count_++;
  for (int row = 0; row < rows_; ++row) {
    at(i, row) = 0;
    ClearMoments(i, row);
  }
  for (int k = 0; k < 3; ++k) {
    at(i, kMeanRow + k) = gaussian.mean[k];
    at(i, kScaleRow + k) = std::log(gaussian.deviation);
    at(i, kColourRow + k) = (gaussian.colour[k] - 0.5f) / kHarmonic0;
  }
  at(i, kRotationRow) = 1;
  at(i, kOpacityRow) = Logit(gaussian.opacity);
  smoothing()[i] = 0;
  errors()[i] = 0;
}

void GaussianSet::ClearMoments(int64_t i, int row) {
  const size_t at =
      (static_cast<size_t>(i) / kBlock * rows_ + row) * kBlock + i % kBlock;
  moments().first[at] = 0;
  moments().second[at] = 0;
}

void GaussianSet::Copy(int64_t from, int64_t to) {
  const size_t block = kBlock;
  const size_t a = static_cast<size_t>(from), b = static_cast<size_t>(to);
  const MomentArrays m = moments();
  float* values = values_.data_ptr<float>();
  for (int64_t row = 0; row < rows_; ++row) {
    const size_t source = (a / block * rows_ + row) * block + a % block;
    const size_t target = (b / block * rows_ + row) * block + b % block;
    values[target] = values[source];
    m.first[target] = m.first[source];
    m.second[target] = m.second[source];
  }
  for (float* one : {errors(), smoothing()}) one[b] = one[a];
}

void GaussianSet::Remove(int64_t i) {
  --count_;
  if (i != count_) Copy(count_, i);
}

void GaussianSet::Split(int64_t i) {
  NERFPIPE_CHECK(count_ < capacity_);
  // The centres move apart by so many deviations, both ways, which leaves the
  // variance along the axis what it was.
  constexpr float kApart = 0.5f;
  constexpr float kKept = 1 - kApart * kApart;
  const int64_t j = count_++;
  Copy(i, j);
  int axis = 0;
  for (int k = 1; k < 3; ++k) {
    if (at(i, kScaleRow + k) > at(i, kScaleRow + axis)) axis = k;
  }
  float q[4];
  float norm = 0;
  for (int k = 0; k < 4; ++k) {
    q[k] = at(i, kRotationRow + k);
    norm += q[k] * q[k];
  }
  for (float& one : q) one /= std::sqrt(norm);
  const float w = q[0], x = q[1], y = q[2], z = q[3];
  const float columns[3][3] = {
      {1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)},
      {2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)},
      {2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)}};
  // Where both overlap in the middle they hide as much as the one did.
  const float opacity = kMostOpaque * OpacityOf(i);
  float each =
      (1 - std::sqrt(1 - opacity)) / std::exp(-0.5f * kApart * kApart / kKept);
  each = std::min(each, std::max(opacity, 0.02f));
  const float logit = Logit(std::clamp(each / kMostOpaque, 0.006f, 0.98f));
  const float deviation = std::exp(at(i, kScaleRow + axis));
  for (const int64_t half : {i, j}) {
    at(half, kOpacityRow) = logit;
    at(half, kScaleRow + axis) += 0.5f * std::log(kKept);
    for (int k = 0; k < 3; ++k) {
      at(half, kMeanRow + k) +=
          (half == i ? kApart : -kApart) * deviation * columns[axis][k];
    }
  }
  // Where they were going says nothing of the halves.
  const MomentArrays m = moments();
  for (const int64_t half : {i, j}) {
    for (int row = 0; row < kColourRow; ++row) {
      const size_t at_row =
          (static_cast<size_t>(half) / kBlock * rows_ + row) * kBlock +
          half % kBlock;
      m.first[at_row] = 0;
    }
  }
}

void GaussianSet::SortByPlace() {
  std::vector<std::pair<uint64_t, int64_t>> order(count_);
  for (int64_t i = 0; i < count_; ++i) {
    order[i] = {MortonCode(at(i, 0), at(i, 1), at(i, 2)), i};
  }
  std::sort(order.begin(), order.end());
  const auto sort_blocks = [&](torch::Tensor& tensor) {
    const torch::Tensor sorted = torch::zeros_like(tensor);
    const int64_t size = tensor.element_size();
    const char* from = static_cast<const char*>(tensor.data_ptr());
    char* to = static_cast<char*>(sorted.data_ptr());
    const int64_t block = kBlock;
    const int64_t rows = tensor.dim() == 3 ? rows_ : 1;
#pragma omp parallel for
    for (int64_t i = 0; i < count_; ++i) {
      const int64_t j = order[i].second;
      for (int64_t row = 0; row < rows; ++row) {
        std::memcpy(
            to + size * ((i / block * rows + row) * block + i % block),
            from + size * ((j / block * rows + row) * block + j % block),
            static_cast<size_t>(size));
      }
    }
    tensor = sorted;
  };
  for (torch::Tensor* one :
       {&values_, &first_, &second_, &smoothing_, &errors_}) {
    sort_blocks(*one);
  }
}

void GaussianSet::ClearErrors() { errors_.zero_(); }

std::vector<std::pair<std::string, torch::Tensor>> GaussianSet::Tensors()
    const {
  return {{"values", values_},
          {"first", first_},
          {"second", second_},
          {"smoothing", smoothing_},
          {"errors", errors_}};
}

void GaussianSet::SetCount(int64_t count) {
  NERFPIPE_CHECK(count >= 0 && count <= capacity_);
  count_ = count;
}

}  // namespace nerfpipe::nerf::splat
