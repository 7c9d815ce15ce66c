#pragma once

// What is known of the methods without LibTorch: how long a run of one is, how
// many steps a time is worth, and the size of images that a time carries.

#include "stages/nerf/options.h"

#include <cstdint>
#include <string>
#include <vector>

namespace nerfpipe::nerf {

struct MethodFacts {
  std::string name;
  // On two CPU cores, about, with images of so many pixels.
  double (*steps_per_second)(int64_t pixels) = nullptr;
  // A run's length where neither steps nor time say it; by the pace above.
  double default_seconds = 0;
  // Of a run that is as long, the part that counts for the size of the images:
  // a slow method is no better on larger ones.
  double worth = 1;
  // Pictures larger than the training images are sharper for it, and do not
  // take hours.
  bool cheap_pictures = false;
  // Not even a second.
  bool instant_pictures = false;
  bool is_nerf = true;
  // Of memory at the peak of a run, about: bytes for each byte of the images,
  // and what comes on top, the program itself among it.
  double held_per_image_byte = 1;
  double held_besides = 0;
};

// `name` is one of kMethodNames.
const MethodFacts& FactsOf(const std::string& name);

// Steps of a run by `train.time` that takes no account of the clock, or of one
// for which neither time nor steps are set.
int StepsFor(const MethodFacts& facts, double seconds, int64_t pixels);

// Bytes of memory at the peak of a run, about, when those of all images come to
// `image_bytes`.
int64_t PeakBytes(const MethodFacts& facts, int64_t image_bytes);

// Seconds on two cores that the options come to, about.
double BudgetOf(const Options& options);

// Of `factors`, by which the sides of images can be divided, the smallest that
// `seconds` of the method carry, else the largest: 1000 pixels on the longer
// side are worth two minutes, and twice as many four times as much. A function
// of its arguments alone.
int FactorFor(const MethodFacts& facts,
              double seconds,
              int width,
              int height,
              const std::vector<int>& factors);

}  // namespace nerfpipe::nerf
