#include "stages/nerf/splat/kernels/splat_kernels.h"

#include <algorithm>
#include <chrono>

#include <omp.h>

namespace nerfpipe::nerf::splat {
namespace {

// Adds the time until its end.
class Timer {
 public:
  explicit Timer(double* sum) : sum_(sum) {}
  ~Timer() {
    *sum_ += std::chrono::duration<double>(Clock::now() - start_).count();
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  double* sum_;
  Clock::time_point start_ = Clock::now();
};

constexpr size_t kBlocksPerTask = 32;

size_t Tasks(size_t blocks) {
  return (blocks + kBlocksPerTask - 1) / kBlocksPerTask;
}

}  // namespace

SplatKernels::SplatKernels(int threads) : threads_(threads) {
  for (int i = 0; i < threads; ++i) {
    scratch_.push_back(std::make_unique<TileScratch>());
  }
}

SplatKernels::~SplatKernels() = default;

template <class F>
void SplatKernels::ForEachTile(const F& f) {
#pragma omp parallel for num_threads(threads_) schedule(dynamic, 1)
  for (int tile = 0; tile < lists_.tiles(); ++tile) {
    f(tile, scratch_[omp_get_thread_num()].get());
  }
}

const Planes& SplatKernels::Rasterise(const Gaussians& gaussians,
                                      const PinholeView& view,
                                      int degree,
                                      const RasterRules& rules,
                                      bool with_depth) {
  gaussians_ = gaussians;
  view_ = view;
  degree_ = degree;
  const int tiles_x = TilesAlong(view.width);
  const int tiles_y = TilesAlong(view.height);
  picture_.width = view.width;
  picture_.height = view.height;
  picture_.stride = static_cast<size_t>(tiles_x) * kTileSide;
  const size_t plane = picture_.stride * tiles_y * kTileSide;
  planes_.Reserve(plane * (with_depth ? 5 : 3));
  for (int c = 0; c < 3; ++c) picture_.colour[c] = planes_.data() + c * plane;
  picture_.depth = with_depth ? planes_.data() + 3 * plane : nullptr;
  picture_.opacity = with_depth ? planes_.data() + 4 * plane : nullptr;

  const size_t blocks = gaussians.blocks();
  ellipses_.Reserve(blocks * kBlock);
  boxes_.Reserve(blocks * kBlock);
  visible_.Reserve(blocks);
  {
    const Timer timer(&times_.project);
#pragma omp parallel for num_threads(threads_) schedule(dynamic, 1)
    for (size_t task = 0; task < Tasks(blocks); ++task) {
      const size_t begin = task * kBlocksPerTask;
      ProjectGaussians(gaussians,
                       view,
                       degree,
                       begin,
                       std::min(blocks, begin + kBlocksPerTask),
                       ellipses_.data(),
                       boxes_.data(),
                       visible_.data());
    }
  }
  {
    const Timer timer(&times_.lists);
    lists_.Fill(ellipses_.data(),
                boxes_.data(),
                visible_.data(),
                blocks,
                tiles_x,
                tiles_y,
                threads_);
    record_.Reserve(lists_);
  }
  const Timer timer(&times_.rasterise);
  ForEachTile([&](int tile, TileScratch* scratch) {
    RasteriseTile(
        ellipses_.data(), lists_, tile, rules, &record_, scratch, picture_);
  });
  return picture_;
}

LossSums SplatKernels::Compare(const LossRules& rules, const PhotoPart& photo) {
  const Timer timer(&times_.loss);
  return ComputeLoss(rules, picture_, photo, threads_, &loss_);
}

void SplatKernels::Differentiate() {
  const Timer timer(&times_.differentiate);
  gradients_.Reserve(lists_.total());
  ForEachTile([&](int tile, TileScratch* scratch) {
    DifferentiateTile(ellipses_.data(),
                      lists_,
                      tile,
                      record_,
                      picture_,
                      loss_.gradients(),
                      scratch,
                      gradients_.data());
  });
}

PictureSource SplatKernels::Source() const {
  return {&view_,
          degree_,
          ellipses_.data(),
          boxes_.data(),
          visible_.data(),
          &lists_,
          gradients_.data()};
}

void SplatKernels::Update(const UpdateRules& rules,
                          const MomentArrays& moments,
                          float* errors) {
  const Timer timer(&times_.update);
  const size_t blocks = gaussians_.blocks();
  const PictureSource source = Source();
  const size_t block_size = gaussians_.rows * kBlock;
#pragma omp parallel num_threads(threads_)
  {
    kernels::Buffer<float>& gradients =
        scratch_[omp_get_thread_num()]->gradients;
    gradients.Reserve(kBlocksPerTask * block_size);
#pragma omp for schedule(dynamic, 1)
    for (size_t task = 0; task < Tasks(blocks); ++task) {
      const size_t begin = task * kBlocksPerTask;
      const size_t end = std::min(blocks, begin + kBlocksPerTask);
      DifferentiateGaussians(
          gaussians_, source, begin, end, errors, gradients.data());
      StepGaussians(
          gaussians_, source, rules, moments, begin, end, gradients.data());
    }
  }
}

void SplatKernels::ParameterGradients(float* errors, float* gradients) const {
  const size_t blocks = gaussians_.blocks();
  std::fill_n(gradients, blocks * gaussians_.rows * kBlock, 0.0f);
  DifferentiateGaussians(gaussians_, Source(), 0, blocks, errors, gradients);
}

}  // namespace nerfpipe::nerf::splat
