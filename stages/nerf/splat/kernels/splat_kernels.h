#pragma once

// Gaussians on the CPU: a picture of them, its loss, and a training step, on
// parameters that somebody else owns. Results do not depend on the number of
// threads: every sum has a fixed order.

#include "stages/nerf/splat/kernels/gaussian_update.h"
#include "stages/nerf/splat/kernels/image_loss.h"
#include "stages/nerf/splat/kernels/projection.h"
#include "stages/nerf/splat/kernels/raster_gradient.h"
#include "stages/nerf/splat/kernels/rasteriser.h"
#include "stages/nerf/splat/kernels/tile_lists.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace nerfpipe::nerf::splat {

// Seconds on the clock since the start.
struct SplatTimes {
  double project = 0, lists = 0, rasterise = 0, loss = 0, differentiate = 0,
         update = 0;
};

class SplatKernels {
 public:
  explicit SplatKernels(int threads);
  ~SplatKernels();

  // What `gaussians` and `view` point to must stay until the last call for this
  // picture. The planes are valid until the next picture.
  const Planes& Rasterise(const Gaussians& gaussians,
                          const PinholeView& view,
                          int degree,
                          const RasterRules& rules,
                          bool with_depth = false);

  // Of the last picture.
  LossSums Compare(const LossRules& rules, const PhotoPart& photo);
  // By the ellipses, after Compare().
  void Differentiate();
  // After Differentiate().
  void Update(const UpdateRules& rules,
              const MomentArrays& moments,
              float* errors);
  // After Differentiate(), instead of Update(): of all gaussians, laid out as
  // they are.
  void ParameterGradients(float* errors, float* gradients) const;

  size_t visible() const { return lists_.visible(); }
  size_t entries() const { return lists_.total(); }
  bool sees(size_t gaussian) const {
    return (visible_[gaussian / kBlock] >> (gaussian % kBlock) & 1) != 0;
  }
  const SplatTimes& times() const { return times_; }

 private:
  PictureSource Source() const;
  // f(tile, scratch of the thread)
  template <class F>
  void ForEachTile(const F& f);

  int threads_;
  Gaussians gaussians_;
  PinholeView view_;
  int degree_ = 0;
  kernels::Buffer<Ellipse> ellipses_;
  kernels::Buffer<TileBox> boxes_;
  kernels::Buffer<uint16_t> visible_;
  TileLists lists_;
  RasterRecord record_;
  kernels::Buffer<float> planes_;
  Planes picture_;
  LossPlanes loss_;
  kernels::Buffer<EllipseGradient> gradients_;
  std::vector<std::unique_ptr<TileScratch>> scratch_;
  SplatTimes times_;
};

}  // namespace nerfpipe::nerf::splat
