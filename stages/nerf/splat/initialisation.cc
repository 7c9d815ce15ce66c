#include "stages/nerf/splat/initialisation.h"

#include "pipeline/base/random.h"
#include "stages/stereo/depth_check.h"
#include "stages/stereo/neighbours.h"
#include "stages/stereo/patch_match.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <unordered_set>
#include <utility>

namespace nerfpipe::nerf::splat {
namespace {

// Stereo works on pictures at most as large: more would take longer than it
// helps.
constexpr int kStereoSide = 700;
constexpr int kNeighbours = 4;
// Disparities are searched from this part of the least known one, nearly at
// infinity, to a little above the largest.
constexpr double kFarther = 0.105;
constexpr double kNearer = 1.2;
// Share of the gaussians that stand where nothing is sure.
constexpr double kUnsure = 0.2;

int ShrinkOf(const Camera& camera) {
  const int side = std::max(camera.width, camera.height);
  return std::max(1, (side + kStereoSide - 1) / kStereoSide);
}

// Height x width, 0 to 1, averaged over squares of `shrink`.
torch::Tensor Grey(const torch::Tensor& image, int shrink) {
  const torch::Tensor weights = torch::tensor({0.299f, 0.587f, 0.114f});
  torch::Tensor grey =
      torch::matmul(image.slice(2, 0, 3).to(torch::kFloat32), weights) / 255;
  if (shrink > 1) {
    grey = torch::avg_pool2d(grey.unsqueeze(0).unsqueeze(0), shrink)
               .squeeze(0)
               .squeeze(0);
  }
  return grey.contiguous();
}

double QuantileOf(std::vector<double> values, double share) {
  const auto at = static_cast<int64_t>(
      share * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[at];
}

// The points of the data set that a view saw, in its pixels.
std::vector<stereo::SparseDepth> SeenBy(const View& view,
                                        const Dataset& dataset,
                                        const SplatSpace& space,
                                        const PinholeView& pinhole) {
  std::vector<stereo::SparseDepth> seen;
  if (!view.seen.defined()) return seen;
  const int64_t* index = view.seen.data_ptr<int64_t>();
  const double* points = dataset.points.data_ptr<double>();
  for (int64_t k = 0; k < view.seen.numel(); ++k) {
    const double* at = points + 3 * index[k];
    const std::array<double, 3> p = space.FromWorld({at[0], at[1], at[2]});
    double camera[3];
    for (int r = 0; r < 3; ++r) {
      camera[r] = pinhole.translation[r];
      for (int c = 0; c < 3; ++c) {
        camera[r] += pinhole.rotation[3 * r + c] * p[c];
      }
    }
    if (!(camera[2] > 0)) continue;
    seen.push_back(
        {static_cast<float>(pinhole.fx * camera[0] / camera[2] + pinhole.cx),
         static_cast<float>(pinhole.fy * camera[1] / camera[2] + pinhole.cy),
         static_cast<float>(camera[2]),
         static_cast<int>(index[k])});
  }
  return seen;
}

struct StereoScene {
  std::vector<stereo::View> views;
  int shrink = 1;  // pixels of the training images to one of these
  double near = 0;
};

StereoScene MakeViews(const Dataset& dataset,
                      const SceneFrame& frame,
                      const SplatSpace& space) {
  constexpr size_t kFewPoints = 8;
  StereoScene scene;
  scene.shrink = ShrinkOf(dataset.train.front().camera);
  std::vector<double> depths;
  for (const View& view : dataset.train) {
    const PinholeView pinhole = ViewOf(view.camera, space, 0);
    stereo::View v;
    const torch::Tensor grey = Grey(view.image, scene.shrink);
    v.width = static_cast<int>(grey.size(1));
    v.height = static_cast<int>(grey.size(0));
    v.SetPicture(grey.data_ptr<float>());
    v.rotation = pinhole.rotation;
    v.translation = pinhole.translation;
    const auto shrink = static_cast<float>(scene.shrink);
    v.fx = pinhole.fx / shrink;
    v.fy = pinhole.fy / shrink;
    v.cx = pinhole.cx / shrink;
    v.cy = pinhole.cy / shrink;
    v.sparse = SeenBy(view, dataset, space, pinhole);
    std::vector<double> disparities;
    for (stereo::SparseDepth& known : v.sparse) {
      known.x /= shrink;
      known.y /= shrink;
      depths.push_back(known.depth);
      disparities.push_back(1 / known.depth);
    }
    // Without points, from what is known of the whole scene.
    double least = 1 / std::max(frame.far, 1.001 * frame.near);
    double most = 1 / frame.near;
    if (disparities.size() >= kFewPoints) {
      least = QuantileOf(disparities, 0.02);
      most = QuantileOf(disparities, 0.98);
    }
    v.least_inverse_depth = static_cast<float>(kFarther * least);
    v.most_inverse_depth = static_cast<float>(kNearer * most);
    scene.views.push_back(std::move(v));
  }
  scene.near =
      depths.size() >= 100 ? 0.8 * QuantileOf(depths, 0.002) : 0.5 * frame.near;
  return scene;
}

// A cell of a view that may become a gaussian.
struct Candidate {
  int view;
  size_t cell;
  double draw;
};

// One gaussian to a cube of space about as large as the cell it comes from.
class Thinning {
 public:
  bool Take(const std::array<float, 3>& p, float size) {
    const int level = static_cast<int>(std::lround(std::log2(size)));
    const float cube = std::exp2(static_cast<float>(level));
    uint64_t hash = static_cast<uint64_t>(level + 64);
    for (const float x : p) {
      hash = Random(hash ^ static_cast<uint64_t>(
                               static_cast<int64_t>(std::floor(x / cube))))
                 .Bits();
    }
    return taken_.insert(hash).second;
  }

 private:
  std::unordered_set<uint64_t> taken_;
};

// Mean colour of a square of an image round (x, y).
std::array<float, 3> ColourAt(const torch::Tensor& image,
                              float x,
                              float y,
                              int side) {
  const auto width = static_cast<int>(image.size(1));
  const auto height = static_cast<int>(image.size(0));
  const auto channels = image.size(2);
  const uint8_t* pixels = image.data_ptr<uint8_t>();
  std::array<float, 3> sum = {};
  int count = 0;
  const int half = std::max(1, side / 2);
  for (int v = std::max(0, static_cast<int>(y) - half);
       v < std::min(height, static_cast<int>(y) + half);
       ++v) {
    for (int u = std::max(0, static_cast<int>(x) - half);
         u < std::min(width, static_cast<int>(x) + half);
         ++u) {
      const uint8_t* pixel =
          pixels + (static_cast<int64_t>(v) * width + u) * channels;
      for (int c = 0; c < 3; ++c) sum[c] += pixel[c];
      ++count;
    }
  }
  for (float& one : sum) {
    one /= 255 * static_cast<float>(std::max(1, count));
  }
  return sum;
}

// Transparent pixels are nothing to be modelled, and of what the mask leaves
// out nothing is known.
bool IsVoid(const View& photo, float x, float y) {
  const torch::Tensor& image = photo.image;
  const auto width = image.size(1);
  const int64_t u = std::clamp<int64_t>(std::lround(x), 0, width - 1);
  const int64_t v = std::clamp<int64_t>(std::lround(y), 0, image.size(0) - 1);
  const int64_t place = v * width + u;
  if (photo.mask.defined() && photo.mask.data_ptr<uint8_t>()[place] == 0) {
    return true;
  }
  return image.size(2) == 4 && image.data_ptr<uint8_t>()[4 * place + 3] < 128;
}

}  // namespace

FirstGuess GuessScene(const Dataset& dataset,
                      const SceneFrame& frame,
                      const SplatSpace& space,
                      int64_t most,
                      uint64_t seed,
                      int threads) {
  const StereoScene scene = MakeViews(dataset, frame, space);
  const std::vector<stereo::View>& views = scene.views;
  const int count = static_cast<int>(views.size());
  const auto neighbours = stereo::ChooseNeighbours(views, kNeighbours, threads);
  const stereo::PatchMatchRules rules;
  std::vector<stereo::DepthMap> maps(count);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
  for (int i = 0; i < count; ++i) {
    maps[i] = stereo::MatchPatches(
        views, i, neighbours[i], rules, Random(seed + i).Bits());
  }
  stereo::CheckDepths(views, neighbours, {}, threads, &maps);
  std::vector<std::vector<float>> filled(count);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
  for (int i = 0; i < count; ++i) {
    filled[i] = stereo::FillDepths(views[i], maps[i]);
  }

  // Agreed on by two neighbours or more, by one, by none.
  std::array<std::vector<Candidate>, 3> classes;
  Random random(seed ^ 0x517cc1b727220a95u);
  for (int i = 0; i < count; ++i) {
    const stereo::DepthMap& map = maps[i];
    for (size_t cell = 0; cell < map.size(); ++cell) {
      const double draw = random.Uniform();
      const int agreeing = map.agreeing[cell];
      // Where nothing is sure a quarter of the cells will do.
      const bool every_second =
          cell % map.width % 2 == 0 && cell / map.width % 2 == 0;
      if (agreeing == 0 && !every_second) continue;
      classes[agreeing >= 2   ? 0
              : agreeing == 1 ? 1
                              : 2]
          .push_back({i, cell, draw});
    }
  }
  FirstGuess guess;
  guess.near = scene.near;
  Thinning thinning;
  for (int c = 0; c < 3; ++c) {
    std::sort(
        classes[c].begin(),
        classes[c].end(),
        [](const Candidate& a, const Candidate& b) { return a.draw < b.draw; });
    const auto limit = static_cast<int64_t>(
        c < 2 ? (1 - kUnsure) * static_cast<double>(most)
              : std::min(static_cast<double>(most),
                         static_cast<double>(guess.gaussians.size()) +
                             kUnsure * static_cast<double>(most)));
    for (const Candidate& candidate : classes[c]) {
      if (std::ssize(guess.gaussians) >= limit) break;
      const stereo::View& view = views[candidate.view];
      const stereo::DepthMap& map = maps[candidate.view];
      const float x = map.x(candidate.cell), y = map.y(candidate.cell);
      const View& photo = dataset.train[candidate.view];
      const auto shrink = static_cast<float>(scene.shrink);
      if (IsVoid(photo, x * shrink, y * shrink)) continue;
      const float inverse = c < 2 ? map.inverse_depth[candidate.cell]
                                  : filled[candidate.view][candidate.cell];
      if (!(inverse > 0)) continue;
      const std::array<float, 3> mean = view.PointAt(x, y, 1 / inverse);
      const float cell =
          static_cast<float>(map.step) / view.fx / inverse * (c == 2 ? 2 : 1);
      if (!thinning.Take(mean, cell)) continue;
      guess.gaussians.push_back(
          {mean,
           ColourAt(
               photo.image, x * shrink, y * shrink, map.step * scene.shrink),
           0.5f * cell,
           c == 2 ? 0.1f : 0.3f});
    }
  }

  guess.surfaces.step = static_cast<int64_t>(rules.step) * scene.shrink;
  for (const stereo::DepthMap& map : maps) {
    torch::Tensor known = torch::zeros({map.height, map.width});
    for (size_t cell = 0; cell < map.size(); ++cell) {
      if (map.agreeing[cell] >= 2) {
        known.data_ptr<float>()[cell] = map.inverse_depth[cell];
      }
    }
    guess.surfaces.widths.push_back(map.width);
    guess.surfaces.heights.push_back(map.height);
    guess.surfaces.inverse_depths.push_back(known);
  }
  return guess;
}

}  // namespace nerfpipe::nerf::splat
