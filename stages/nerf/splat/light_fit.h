#pragma once

// How bright each of several views is, from what they show of the same points:
// the least squares of "log colour of a point in a view = log colour of the
// point + log gain of the view". Serial: the same bits with any number of
// threads.

#include <array>
#include <cstddef>
#include <functional>
#include <vector>

namespace nerfpipe::nerf::splat {

using LogGain = std::array<double, 3>;  // of red, green, blue

// A point in a view.
struct Sample {
  int point = 0;
  int view = 0;
  LogGain log_colour = {};
};

struct LightFit {
  std::vector<LogGain> gains;   // by view, mean 0 over the views
  std::vector<double> weights;  // by view, of its samples; 0: none
};

// `samples` are in ascending order of their points. After each of `rounds` fits
// a sample counts for less the farther it is from the fit (weights of Cauchy);
// with 0 rounds all count alike. Views without a point in common with others
// are left where all begin.
LightFit FitLight(const std::vector<Sample>& samples, int views, int rounds);

// x with A x = b for a symmetric, positive semidefinite A: `apply` says A x,
// and `diagonal` is that of A. Of a singular A, of which b must be in the
// range, it is a solution near 0.
std::vector<LogGain> SolveByConjugateGradients(
    const std::function<std::vector<LogGain>(const std::vector<LogGain>&)>&
        apply,
    const std::vector<double>& diagonal,
    const std::vector<LogGain>& b);

// Takes the mean away, so that it is 0.
void Centre(std::vector<LogGain>* gains);

}  // namespace nerfpipe::nerf::splat
