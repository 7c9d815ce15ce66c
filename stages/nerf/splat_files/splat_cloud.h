#pragma once

// A scene of gaussians as trainers hold it, before activation, and what all
// formats of files do with it. Standard library only.

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace nerfpipe::splats {

inline constexpr int kMostDegree = 3;

// Coefficients of a channel above degree 0.
constexpr size_t HarmonicsOf(int degree) {
  const size_t bands = static_cast<size_t>(degree) + 1;
  return bands * bands - 1;
}
inline constexpr size_t kMostHarmonics = HarmonicsOf(kMostDegree);

// Basis and signs of the harmonics are those of 3D Gaussian Splatting (Kerbl et
// al. 2023); a colour is 0.5 + their sum in the direction from the camera to
// the mean.
struct SplatCloud {
  int degree = 0;                 // of the harmonics, 0 to 3
  std::vector<float> means;       // 3 each
  std::vector<float> log_scales;  // 3 each, natural logarithm
  std::vector<float> rotations;   // 4 each: unit quaternion w, x, y, z
  std::vector<float> logits;      // of the opacity
  std::vector<float> colours;     // 3 each: coefficient 0, "f_dc"
  // HarmonicsOf(degree) coefficients of 3 channels each: coefficient j of a
  // channel is at 3 * j + channel.
  std::vector<float> harmonics;
  // Opacities belong to a renderer that keeps the light of gaussians below the
  // size of a pixel (Mip-Splatting).
  bool antialiased = true;
  // Gaussians that a file holds but that are left out here, since they have
  // numbers that are not finite or a rotation of length 0.
  size_t dropped = 0;

  size_t count() const { return logits.size(); }
};

double OpacityOf(double logit);
// Finite: an opacity of 0 or 1 gives that of 1e-6 or 1 - 1e-6.
float LogitOf(double opacity);

// What a channel is without harmonics, and the other way round; not limited to
// 0 to 1.
double ChannelOf(double coefficient);
float CoefficientOf(double channel);

// To be called before anything is written. Throws UserError when there is no
// gaussian or one with a number that is not finite.
void CheckWritable(const SplatCloud& cloud);

// A gaussian on its way from a file to a cloud; as there, but the rotation may
// have any length.
struct Splat {
  std::array<float, 3> mean = {};
  std::array<float, 3> log_scale = {};
  std::array<float, 4> rotation = {};
  float logit = 0;
  std::array<float, 3> colour = {};
  std::array<float, 3 * kMostHarmonics> harmonics = {};
};

// An empty cloud with room for `count` gaussians.
SplatCloud MakeCloud(int degree, size_t count);

// Adds or drops it.
void AddSplat(const Splat& splat, SplatCloud* cloud);

// To be called when all of the file `name` is read. Throws UserError when no
// gaussian is left.
void CheckRead(const SplatCloud& cloud, const std::string& name);

}  // namespace nerfpipe::splats
