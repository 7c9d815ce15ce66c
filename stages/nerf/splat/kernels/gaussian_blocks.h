#pragma once

// How gaussians lie in memory: sixteen side by side in a block, so that vectors
// of any width take the same parameter of neighbours.

#include <array>
#include <cstddef>
#include <cstdint>

namespace nerfpipe::nerf::splat {

inline constexpr size_t kBlock = 16;

// The parameters of a gaussian, in the order of the rows of a block.
inline constexpr int kMeanRow = 0;      // x, y, z
inline constexpr int kScaleRow = 3;     // natural logarithm of the deviations
inline constexpr int kRotationRow = 6;  // quaternion w, x, y, z; any length
inline constexpr int kOpacityRow = 10;  // before the logistic function
inline constexpr int kColourRow = 11;   // harmonic 0: red, green, blue; 1: ...

inline constexpr int kMaxDegree = 3;  // of the spherical harmonics

constexpr int HarmonicsOf(int degree) { return (degree + 1) * (degree + 1); }
constexpr int RowsOf(int degree) {
  return kColourRow + 3 * HarmonicsOf(degree);
}

// No gaussian hides all that is behind it: what lies there must still learn.
inline constexpr float kMostOpaque = 0.99f;
// Pixels in which a gaussian is fainter do not see it.
inline constexpr float kFaintest = 1.0f / 255;

// Parameter `row` of gaussian i is values[(i / 16 * rows + row) * 16 + i % 16].
// Memory is aligned to 64 bytes and holds whole blocks.
struct Gaussians {
  float* values = nullptr;
  // Variance in world units that is added along each axis, by gaussian: nothing
  // finer was photographed (Yu et al. 2024, Mip-Splatting; the opacity is what
  // is trained, so that it need not be changed).
  const float* smoothing = nullptr;
  size_t count = 0;
  int rows = 0;

  size_t blocks() const { return (count + kBlock - 1) / kBlock; }
  float* block(size_t b) const { return values + b * rows * kBlock; }
  float& at(size_t i, int row) const {
    return values[(i / kBlock * rows + row) * kBlock + i % kBlock];
  }
};

// Of the pictures that gaussians are trained on.
inline constexpr float kScreenBlur = 0.3f;

// A pinhole that looks along +z, x to the right and y down. Pixel (0, 0)
// reaches from 0 to 1.
struct PinholeView {
  std::array<float, 9> rotation = {1, 0, 0, 0, 1, 0, 0, 0, 1};  // from world
  std::array<float, 3> translation = {0, 0, 0};
  std::array<float, 3> centre = {0, 0, 0};  // in the world
  float fx = 0;
  float fy = 0;
  float cx = 0;
  float cy = 0;
  int width = 0;
  int height = 0;
  float near = 0.01f;  // what is nearer is not drawn
  // Variance, in its pixels, by which ellipses are blurred here, and were when
  // the gaussians were trained. What the blur makes larger than it was then it
  // makes fainter, so that pictures of other sizes look as the trained one.
  float blur = kScreenBlur;
  float trained_blur = kScreenBlur;
  // Beyond these x / z and y / z the local projection of a gaussian is taken
  // where it would come to lie at the limit: it would have no end. Those of the
  // whole picture also hold for its parts.
  std::array<float, 2> low_tangent = {-1e6f, -1e6f};
  std::array<float, 2> high_tangent = {1e6f, 1e6f};
};

// `zoom` is the size of the view's pixels against those that the gaussians were
// trained on: two where a pixel is half as large.
inline void SetBlur(float zoom, PinholeView* view) {
  view->trained_blur = kScreenBlur * zoom * zoom;
  view->blur =
      view->trained_blur > kScreenBlur ? view->trained_blur : kScreenBlur;
}

// Limits a little beyond the picture.
inline void SetTangentLimits(PinholeView* view) {
  constexpr float kBeyond = 0.15f;  // of its sides
  const auto width = static_cast<float>(view->width);
  const auto height = static_cast<float>(view->height);
  view->low_tangent = {(-kBeyond * width - view->cx) / view->fx,
                       (-kBeyond * height - view->cy) / view->fy};
  view->high_tangent = {((1 + kBeyond) * width - view->cx) / view->fx,
                        ((1 + kBeyond) * height - view->cy) / view->fy};
}

// The part of a picture that begins at pixel (x, y).
inline PinholeView Cropped(
    const PinholeView& view, int x, int y, int width, int height) {
  PinholeView part = view;
  part.cx -= static_cast<float>(x);
  part.cy -= static_cast<float>(y);
  part.width = width;
  part.height = height;
  return part;
}

}  // namespace nerfpipe::nerf::splat
