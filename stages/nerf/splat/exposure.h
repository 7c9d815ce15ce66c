#pragma once

// Light that differs from photo to photo: a gain of each channel for each
// training view, found before training from the colours of the sparse points in
// the views that saw them. Pictures of the scene have the mean light: the mean
// logarithm of the gains is 0 in each channel.

#include "stages/nerf/scene.h"
#include "stages/nerf/splat/light_fit.h"

#include <array>
#include <string>
#include <vector>

namespace nerfpipe::nerf::splat {

class Exposure {
 public:
  enum class Kind {
    kOneLight,  // the same for all
    kCurve,     // changes slowly in the order of the names, as in a video
    kPhotos,    // each has its own
  };

  // One light.
  Exposure() = default;

  // `option` is "auto", "on" or "off". With "on", only a data set whose views
  // have no points in common has one light; with "auto" also one whose light
  // differs by little, or by no more than can be told from noise. Which kind it
  // is the gains themselves say: a curve is one whose every view is better
  // foretold by its two neighbours than by the mean.
  static Exposure Of(const Dataset& dataset, const std::string& option);

  // From gains that were measured, by training view in the order of the names,
  // and the variance of the noise in each: regularised by their own spread. The
  // second differences of a curve, and the gains of photos, are taken to be
  // normally distributed (empirical Bayes).
  static Exposure Of(std::vector<std::string> names,
                     const std::vector<LogGain>& measured,
                     const std::vector<double>& noise,
                     const std::string& option);

  // What Text() wrote. Throws UserError for anything else.
  static Exposure FromText(const std::string& text);
  std::string Text() const;

  Kind kind() const { return kind_; }
  const std::vector<LogGain>& log_gains() const { return log_gains_; }
  // Of a training view; 1 where there is one light.
  std::array<float, 3> TrainingGain(size_t view) const;
  // Of a view that was not trained on: on a curve the mean of its neighbours in
  // the order of the names, else 1.
  std::array<double, 3> HeldOutGain(const std::string& name) const;
  // What held-out views are compared to, in words.
  std::string Note() const;

 private:
  Kind kind_ = Kind::kOneLight;
  std::vector<std::string> names_;
  std::vector<LogGain> log_gains_;  // by training view; none with one light
};

}  // namespace nerfpipe::nerf::splat
