#include "stages/nerf/splat/splat_method.h"

#include "pipeline/base/error.h"
#include "stages/nerf/archive.h"
#include "stages/nerf/kernels/counter_random.h"
#include "stages/nerf/ray_sampler.h"
#include "stages/nerf/splat/densification.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace nerfpipe::nerf::splat {
namespace {

// Densification, as shares of the run: from, to, the number being reached at,
// and the distance between two.
constexpr double kDensifyFrom = 0.01;
constexpr double kDensifyUntil = 0.9;
constexpr double kFullAt = 0.6;
constexpr double kDensifyEvery = 0.01;
constexpr int64_t kSortEvery = 4;  // densifications
// Of the harmonics one more degree each.
constexpr double kDegreeEvery = 0.1;
// Steps in which the rates grow.
constexpr double kWarmUpSteps = 50;
// The rates but that of the means keep still so long, then fall to kLastRates.
constexpr double kStillUntil = 0.5;
constexpr double kLastRates = 0.05;
// Gradients of penalties, for a loss that is a mean.
constexpr double kPenalty = 0.01;
// Steps of the noise against those of the means.
constexpr double kNoise = 5e5;
// Pictures with fewer pixels are taken whole, even if a part was asked for.
constexpr double kWholeUpTo = 1.3;
// Rendered at once at the most.
constexpr int64_t kPixelsInStrip = 1 << 22;

// What random numbers are for.
enum Use { kOrder = 1, kCrop, kNoiseOf, kSplits, kStereo, kBehind };

torch::Tensor HalvedImage(const torch::Tensor& image) {
  const torch::Tensor planes =
      image.permute({2, 0, 1}).unsqueeze(0).to(torch::kFloat32);
  return (torch::avg_pool2d(planes, 2) + 0.5)
      .to(torch::kUInt8)
      .squeeze(0)
      .permute({1, 2, 0})
      .contiguous();
}

// Used only where all four pixels are.
torch::Tensor HalvedMask(const torch::Tensor& mask) {
  const torch::Tensor planes = (mask != 0).unsqueeze(0).to(torch::kFloat32);
  return (torch::avg_pool2d(planes, 2) == 1)
      .to(torch::kUInt8)
      .squeeze(0)
      .contiguous();
}

std::array<float, 3> FloatColour(const std::array<double, 3>& colour) {
  return {static_cast<float>(colour[0]),
          static_cast<float>(colour[1]),
          static_cast<float>(colour[2])};
}

}  // namespace

SplatMethod::SplatMethod(const MethodContext& context, GaussianSet set)
    : context_(context),
      options_(context.options.splat),
      space_(context.frame),
      threads_(torch::get_num_threads()),
      set_(std::move(set)),
      kernels_(std::make_unique<SplatKernels>(threads_)),
      near_(0.05),
      next_densification_(kDensifyFrom) {}

SplatMethod::SplatMethod(const MethodContext& context)
    : SplatMethod(context,
                  GaussianSet(context.options.splat.degree,
                              context.options.splat.count)) {
  NERFPIPE_CHECK(options_.count > 0 && options_.crop > 0);
  if (context.dataset != nullptr) {
    TakeViews(*context.dataset);
    Begin(*context.dataset);
  }
  context_.dataset = nullptr;
}

SplatMethod::SplatMethod(GaussianSet set, double near, float trained_blur)
    : SplatMethod(MethodContext(), std::move(set)) {
  options_.degree = set_.degree();
  context_.background = {0, 0, 0};
  near_ = near;
  trained_blur_ = trained_blur;
  reached_ = 1;
}

void SplatMethod::TakeViews(const Dataset& dataset) {
  for (const View& view : dataset.train) {
    TrainingView taken;
    taken.image = CheckedImage(view);
    taken.half = HalvedImage(taken.image);
    taken.mask = CheckedMask(view);
    if (taken.mask.defined()) taken.half_mask = HalvedMask(taken.mask);
    views_.push_back(std::move(taken));
  }
}

void SplatMethod::Begin(const Dataset& dataset) {
  const FirstGuess guess =
      GuessScene(dataset,
                 context_.frame,
                 space_,
                 std::min<int64_t>(options_.first_count, set_.capacity()),
                 Key(kStereo, 0),
                 threads_);
  near_ = guess.near;
  for (const NewGaussian& gaussian : guess.gaussians) set_.Add(gaussian);
  if (set_.count() == 0) {
    throw UserError("no place for a first gaussian was found",
                    "use train.method=ngp for this data set");
  }
  set_.SortByPlace();
  surfaces_ = guess.surfaces;
  first_count_ = set_.count();
  std::array<float, 3> middle = {};
  for (size_t i = 0; i < views_.size(); ++i) {
    views_[i].view = ViewOf(dataset.train[i].camera, space_, near_);
    views_[i].half_view = Halved(views_[i].view);
    pinholes_.push_back(views_[i].view);
    focal_ += 0.5 * (views_[i].view.fx + views_[i].view.fy) /
              static_cast<double>(views_.size());
    for (int k = 0; k < 3; ++k) {
      middle[k] += views_[i].view.centre[k] / static_cast<float>(views_.size());
    }
  }
  double farthest = 0;
  for (const PinholeView& view : pinholes_) {
    double square = 0;
    for (int k = 0; k < 3; ++k) {
      square += std::pow(view.centre[k] - middle[k], 2);
    }
    farthest = std::max(farthest, std::sqrt(square));
  }
  reach_ = 1.1 * farthest;
  MeasureSmoothing(set_.gaussians(), pinholes_, threads_, set_.smoothing());
}

std::vector<std::pair<std::string, torch::Tensor>> SplatMethod::Parameters() {
  return {{"values", set_.Tensors().front().second}};
}

uint64_t SplatMethod::Key(int use, int64_t number) const {
  const auto seed = static_cast<uint64_t>(context_.options.train.seed);
  return kernels::MixBits(kernels::MixBits(seed * 8 + use) +
                          static_cast<uint64_t>(number) * 0x9e3779b97f4a7c15u);
}

SplatMethod::Look SplatMethod::ChooseLook(int64_t step) const {
  // All views in a random order, then all again in another one.
  const auto count = static_cast<int64_t>(views_.size());
  std::vector<int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  const uint64_t order_key = Key(kOrder, step / count);
  for (int64_t i = count - 1; i > 0; --i) {
    const uint32_t other =
        kernels::RandomBelow(kernels::RandomBits(order_key, i), i + 1);
    std::swap(order[i], order[other]);
  }
  const TrainingView& chosen = views_[order[step % count]];
  const bool half = reached_ < options_.half_until &&
                    chosen.half_view.width > 16 && chosen.half_view.height > 16;
  const torch::Tensor& image = half ? chosen.half : chosen.image;
  Look look;
  look.view = half ? chosen.half_view : chosen.view;
  int x = 0, y = 0;
  const double pixels = static_cast<double>(look.view.width) * look.view.height;
  if (pixels > kWholeUpTo * options_.crop) {
    const double scale = std::sqrt(options_.crop / pixels);
    const auto side = [&](int whole) {
      const int part = static_cast<int>(whole * scale) + kTileSide - 1;
      return std::min(whole, part / kTileSide * kTileSide);
    };
    const int width = side(look.view.width);
    const int height = side(look.view.height);
    // Drawn a little beyond the borders, which would come up less otherwise.
    const uint64_t key = Key(kCrop, step);
    const auto begin = [&](int whole, int part, int index) {
      const double free = whole - part;
      const double at =
          (1.5 * kernels::RandomUniform(key, index) - 0.25) * free;
      return static_cast<int>(std::clamp(at, 0.0, free));
    };
    x = begin(look.view.width, width, 0);
    y = begin(look.view.height, height, 1);
    look.view = Cropped(look.view, x, y, width, height);
  }
  const int64_t channels = image.size(2);
  look.photo.row_bytes = static_cast<size_t>(image.size(1) * channels);
  look.photo.channels = static_cast<int>(channels);
  look.photo.pixels =
      image.data_ptr<uint8_t>() + y * image.size(1) * channels + x * channels;
  const torch::Tensor& mask = half ? chosen.half_mask : chosen.mask;
  if (mask.defined()) {
    look.photo.mask_row_bytes = static_cast<size_t>(mask.size(1));
    look.photo.mask = mask.data_ptr<uint8_t>() + y * mask.size(1) + x;
  }
  look.photo.background = FloatColour(context_.background);
  if (channels == 4) {
    // Another colour behind every step: matter of the right colour in front of
    // nothing would never be found out.
    for (int c = 0; c < 3; ++c) {
      look.photo.background[c] =
          kernels::RandomUniform(Key(kBehind, step), static_cast<uint64_t>(c));
    }
  }
  return look;
}

int SplatMethod::Degree() const {
  return std::min(options_.degree, static_cast<int>(reached_ / kDegreeEvery));
}

UpdateRules SplatMethod::RulesFor(int64_t step,
                                  const Schedule& schedule,
                                  int64_t pixels) const {
  const auto t = static_cast<double>(step + 1);
  const double done = schedule.done;
  const double warm = schedule.warm_up * std::min(1.0, t / kWarmUpSteps);
  const double of_means =
      options_.mean_rate * reach_ * std::pow(options_.final_mean_rate, done);
  const double others =
      warm *
      (done < kStillUntil
           ? 1.0
           : std::pow(kLastRates, (done - kStillUntil) / (1 - kStillUntil)));
  UpdateRules rules;
  rules.mean = static_cast<float>(warm * of_means);
  rules.scale = static_cast<float>(others * options_.scale_rate);
  rules.rotation = static_cast<float>(others * options_.rotation_rate);
  rules.opacity = static_cast<float>(others * options_.opacity_rate);
  rules.colour = static_cast<float>(others * options_.colour_rate);
  rules.harmonics = static_cast<float>(others * options_.harmonics_rate);
  rules.correction = static_cast<float>(
      std::sqrt(1 - std::pow(static_cast<double>(rules.beta2), t)) /
      (1 - std::pow(static_cast<double>(rules.beta1), t)));
  const auto penalty =
      static_cast<float>(kPenalty * 3.0 * static_cast<double>(pixels) /
                         static_cast<double>(set_.count()));
  rules.opacity_penalty = penalty;
  rules.scale_penalty = penalty;
  rules.noise = static_cast<float>(options_.noise * kNoise * of_means / reach_);
  rules.noise_key = static_cast<uint32_t>(Key(kNoiseOf, step) >> 32);
  rules.largest_log_scale = static_cast<float>(std::log(3 * reach_));
  return rules;
}

int64_t SplatMethod::Wanted() const {
  const double share = std::clamp(
      (reached_ - kDensifyFrom) / (kFullAt - kDensifyFrom), 0.0, 1.0);
  return first_count_ +
         std::llround(share *
                      static_cast<double>(set_.capacity() - first_count_));
}

std::vector<KnownSurface> SplatMethod::KnownSurfaces() const {
  std::vector<KnownSurface> known;
  for (size_t i = 0; i < pinholes_.size(); ++i) {
    known.push_back({pinholes_[i],
                     static_cast<int>(surfaces_.step),
                     static_cast<int>(surfaces_.widths[i]),
                     static_cast<int>(surfaces_.heights[i]),
                     surfaces_.inverse_depths[i].data_ptr<float>()});
  }
  return known;
}

void SplatMethod::DensifyIfDue(double done) {
  if (done < next_densification_ || done >= kDensifyUntil) return;
  next_densification_ += kDensifyEvery;
  std::vector<uint8_t> floats(set_.count());
  FindFloaters(set_.gaussians(), KnownSurfaces(), {}, threads_, floats.data());
  DensifyRules rules;
  rules.wanted = Wanted();
  Densify(rules, floats, Key(kSplits, densifications_), &set_);
  if (densifications_ % kSortEvery == 0) set_.SortByPlace();
  ++densifications_;
  MeasureSmoothing(set_.gaussians(), pinholes_, threads_, set_.smoothing());
}

StepReport SplatMethod::Step(int64_t step, const Schedule& schedule) {
  NERFPIPE_CHECK(!views_.empty());
  reached_ = std::max(reached_, schedule.done);
  const Look look = ChooseLook(step);
  RasterRules raster;
  raster.background = look.photo.background;
  const int64_t pixels =
      static_cast<int64_t>(look.view.width) * look.view.height;
  kernels_->Rasterise(set_.gaussians(), look.view, Degree(), raster);
  const auto dssim = static_cast<float>(options_.dssim);
  const LossSums sums = kernels_->Compare({1 - dssim, dssim}, look.photo);
  kernels_->Differentiate();
  const UpdateRules rules = RulesFor(step, schedule, pixels);
  kernels_->Update(rules, set_.moments(), set_.errors());
  StepReport report;
  report.loss = sums.loss;
  report.psnr = -10 * std::log10(sums.squared_error + 1e-12);
  report.pixels = pixels;
  report.samples = static_cast<int64_t>(kernels_->visible());
  report.learning_rate = rules.mean;
  DensifyIfDue(schedule.done);
  return report;
}

KernelPool::Loan SplatMethod::KernelsForPicture() const {
  if (at::get_num_threads() < threads_) return single_threaded_.Take();
  return {kernels_.get(), [](SplatKernels*) {}};
}

RenderedView SplatMethod::RenderView(const Camera& camera,
                                     const Cancelled& cancelled) const {
  PinholeView whole = ViewOf(camera, space_, near_);
  if (focal_ > 0) {
    SetBlur(static_cast<float>(0.5 * (camera.fx + camera.fy) / focal_), &whole);
  } else {
    whole.trained_blur = trained_blur_;
  }
  RenderedView view;
  view.rgb = torch::empty({camera.height, camera.width, 3});
  view.depth = torch::empty({camera.height, camera.width});
  view.opacity = torch::empty({camera.height, camera.width});
  RasterRules raster;
  raster.background = FloatColour(context_.background);
  const KernelPool::Loan kernels = KernelsForPicture();
  const auto rows = static_cast<int>(
      std::clamp<int64_t>(kPixelsInStrip / camera.width / kTileSide * kTileSide,
                          kTileSide,
                          camera.height + kTileSide));
  for (int top = 0; top < camera.height; top += rows) {
    if (cancelled && cancelled()) return {};
    const int height = std::min(rows, camera.height - top);
    const Planes& picture =
        kernels->Rasterise(set_.gaussians(),
                           Cropped(whole, 0, top, camera.width, height),
                           Degree(),
                           raster,
                           /*with_depth=*/true);
    const auto plane = [&](float* values) {
      return torch::from_blob(values,
                              {height, camera.width},
                              {static_cast<int64_t>(picture.stride), 1});
    };
    const auto strip = [&](torch::Tensor& all) {
      return all.slice(0, top, top + height);
    };
    for (int c = 0; c < 3; ++c) {
      strip(view.rgb).select(2, c).copy_(plane(picture.colour[c]));
    }
    const torch::Tensor opacity = plane(picture.opacity);
    strip(view.opacity).copy_(opacity);
    strip(view.depth)
        .copy_(plane(picture.depth) / (opacity.clamp_min(1e-6) * space_.scale));
  }
  return view;
}

void SplatMethod::Save(torch::serialize::OutputArchive& archive) {
  Write(archive,
        "splat.counts",
        torch::tensor({set_.count(), first_count_, densifications_}));
  Write(archive,
        "splat.places",
        torch::tensor({next_densification_, near_, reach_, reached_, focal_},
                      torch::kFloat64));
  for (const auto& [name, tensor] : set_.Tensors()) {
    Write(archive, "splat." + name, tensor);
  }
}

void SplatMethod::Load(torch::serialize::InputArchive& archive) {
  torch::Tensor counts = torch::zeros({3}, torch::kInt64);
  torch::Tensor places = torch::zeros({5}, torch::kFloat64);
  ReadInto(archive, "splat.counts", counts);
  ReadInto(archive, "splat.places", places);
  for (const auto& [name, tensor] : set_.Tensors()) {
    ReadInto(archive, "splat." + name, tensor);
  }
  set_.SetCount(counts[0].item<int64_t>());
  first_count_ = counts[1].item<int64_t>();
  densifications_ = counts[2].item<int64_t>();
  next_densification_ = places[0].item<double>();
  near_ = places[1].item<double>();
  reach_ = places[2].item<double>();
  reached_ = places[3].item<double>();
  focal_ = places[4].item<double>();
}

}  // namespace nerfpipe::nerf::splat
