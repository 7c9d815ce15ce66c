#pragma once

// The gaussians of a scene with their optimiser's moments, in tensors whose
// memory the kernels work on, and what is done to single ones.

#include "stages/nerf/splat/kernels/gaussian_update.h"
#include "stages/nerf/tensors.h"

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace nerfpipe::nerf::splat {

struct NewGaussian {
  std::array<float, 3> mean = {};
  std::array<float, 3> colour = {};  // 0 to 1
  float deviation = 0;               // the same along all axes
  float opacity = 0;                 // 0 to 1
};

class GaussianSet {
 public:
  GaussianSet(int degree, int64_t capacity);

  int degree() const { return degree_; }
  int64_t count() const { return count_; }
  int64_t capacity() const { return capacity_; }

  Gaussians gaussians() const;
  MomentArrays moments() const;
  // Of the pixels that each was seen in, since ClearErrors(), by its weight.
  float* errors() const { return errors_.data_ptr<float>(); }
  float* smoothing() const { return smoothing_.data_ptr<float>(); }

  float& at(int64_t i, int row) const {
    return gaussians().at(static_cast<size_t>(i), row);
  }
  // Between 0 and 1.
  float OpacityOf(int64_t i) const;

  // At the end, with moments of 0. Nothing is added beyond the capacity.
  void Add(const NewGaussian& gaussian);
  // The last one takes its place.
  void Remove(int64_t i);
  // Two of it, side by side along its longest axis, that together look as it
  // did; the second one comes to the end. There must be room for it.
  void Split(int64_t i);
  // Neighbours in space become neighbours in memory.
  void SortByPlace();
  void ClearErrors();

  // All that a run which goes on needs, by name. Names and shapes are those of
  // the capacity.
  std::vector<std::pair<std::string, torch::Tensor>> Tensors() const;
  void SetCount(int64_t count);

 private:
  // Parameters, and moments or zeros.
  void Copy(int64_t from, int64_t to);
  void ClearMoments(int64_t i, int row);

  int degree_;
  int64_t rows_;
  int64_t capacity_;
  int64_t count_ = 0;
  torch::Tensor values_;          // blocks x rows x 16, float32
  torch::Tensor first_, second_;  // likewise, bfloat16
  torch::Tensor smoothing_;       // blocks * 16
  torch::Tensor errors_;
};

}  // namespace nerfpipe::nerf::splat
