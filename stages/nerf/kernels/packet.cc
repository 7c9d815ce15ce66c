#include "stages/nerf/kernels/packet.h"

#include <chrono>
#include <cmath>
#include <cstring>

namespace nerfpipe::nerf::kernels {
namespace {

// Samples a ray takes before its transmittance is looked at again, at least: a
// march finds them by the vector. More would mostly be found to be hidden.
constexpr size_t kWave = 1;

int64_t Now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Adds the time since the last call to a part.
class Stopwatch {
 public:
  void Lap(int64_t* part) {
    const int64_t now = Now();
    *part += now - last_;
    last_ = now;
  }

 private:
  int64_t last_ = Now();
};

void MoveRow(Buffer<float>& rows, size_t width, size_t from, size_t to) {
  std::memcpy(rows.data() + to * width,
              rows.data() + from * width,
              width * sizeof(float));
}

}  // namespace

void RayPacket::Forward(const Model& model,
                        const SampleRules& rules,
                        const RayArrays& rays,
                        size_t first,
                        size_t count,
                        const float* jitter,
                        const float* chance,
                        bool train) {
  Stopwatch watch;
  StartRays(rules, rays, first, count, jitter, chance);
  while (!alive_.empty()) {
    const size_t found = MarchWave(model, rules);
    watch.Lap(&times_.march);
    EncodePoints(model.levels,
                 model.table,
                 {x_.data() + kept_, y_.data() + kept_, z_.data() + kept_},
                 found,
                 inputs_.data() + kept_ * kInputs);
    watch.Lap(&times_.encode);
    DensityWave(model, found);
    watch.Lap(&times_.nets);
    SelectWave(rules, train);
    watch.Lap(&times_.composite);
  }
  ColourForwardPass(model);
  watch.Lap(&times_.nets);
  ComputeColours(colours_.data(), kept_);
  SumColours(samples_.data(), colours_.data(), kept_, sums_.data());
  watch.Lap(&times_.composite);
}

void RayPacket::StartRays(const SampleRules& rules,
                          const RayArrays& rays,
                          size_t first,
                          size_t count,
                          const float* jitter,
                          const float* chance) {
  rays_.clear();
  alive_.clear();
  sums_.assign(count, RaySum{});
  scales_.resize(count);
  harmonics_.resize(count);
  marched_ = 0;
  kept_ = 0;
  for (size_t i = 0; i < count; ++i) {
    sums_[i].unspent = rules.roulette * chance[i];
    const float* d = rays.directions + 3 * (first + i);
    const float scale = std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
    const float unit[3] = {d[0] / scale, d[1] / scale, d[2] / scale};
    scales_[i] = scale;
    rays_.push_back(StartRay(rules.march,
                             rays.origins + 3 * (first + i),
                             unit,
                             rays.near[first + i] * scale,
                             rays.far[first + i] * scale,
                             jitter[i]));
    if (rays_.back().done) continue;
    Harmonics(unit, harmonics_[i].data());
    alive_.push_back(static_cast<uint32_t>(i));
  }
}

size_t RayPacket::MarchWave(const Model& model, const SampleRules& rules) {
  segments_.clear();
  size_t at = kept_;
  // A ray finds a vector too many at most.
  const size_t most = at + alive_.size() * (kWave + kMarchSlack) + kMarchSlack;
  for (Buffer<float>* one : {&x_, &y_, &z_, &distance_, &length_}) {
    one->Reserve(most);
  }
  for (const uint32_t r : alive_) {
    const size_t found = March(rules.march,
                               *model.bits,
                               kWave,
                               &rays_[r],
                               {x_.data() + at,
                                y_.data() + at,
                                z_.data() + at,
                                distance_.data() + at,
                                length_.data() + at});
    segments_.push_back(
        {r, static_cast<uint32_t>(at), static_cast<uint32_t>(found)});
    at += found;
  }
  Reserve(at + kMarchSlack);
  marched_ += at - kept_;
  return at - kept_;
}

void RayPacket::DensityWave(const Model& model, size_t count) {
  const size_t at = kept_;
  DensityForward(model.nets,
                 {inputs_.data() + at * kInputs,
                  hidden_.data() + at * kHidden,
                  outputs_.data() + at * kGeometry},
                 count);
  for (size_t i = at; i < at + count; ++i) {
    log_density_[i] = outputs_[i * kGeometry];
  }
  ComputeOpacities({log_density_.data() + at,
                    length_.data() + at,
                    density_.data() + at,
                    transparency_.data() + at},
                   count);
}

void RayPacket::SelectWave(const SampleRules& rules, bool train) {
  alive_.clear();
  for (const Segment& segment : segments_) {
    RaySum& sum = sums_[segment.ray];
    MarchRay& ray = rays_[segment.ray];
    for (size_t i = segment.begin; i < segment.begin + segment.count; ++i) {
      Sample sample;
      sample.ray = segment.ray;
      sample.after = sum.transmittance * transparency_[i];
      sample.weight = sum.transmittance - sample.after;
      sum.transmittance = sample.after;
      if (IsKept(rules, &sample, &sum)) Keep(i, sample, train);
      if (sample.after < rules.stop_transmittance) {
        ray.done = true;
        break;
      }
    }
    if (!ray.done) alive_.push_back(segment.ray);
  }
}

bool RayPacket::IsKept(const SampleRules& rules, Sample* sample, RaySum* sum) {
  sample->boost = 1;
  if (rules.roulette == 0) return sample->weight >= rules.min_weight;
  if (sample->weight >= rules.roulette) return true;
  // One turn of the wheel per ray: light samples in a row share it, and at
  // every `roulette` of their weight one is kept.
  sum->unspent += sample->weight;
  if (sum->unspent < rules.roulette) return false;
  sum->unspent -= rules.roulette;
  sample->boost = rules.roulette / sample->weight;
  sample->weight = rules.roulette;
  return true;
}

void RayPacket::Keep(size_t from, const Sample& sample, bool train) {
  const size_t to = kept_++;
  samples_[to] = sample;
  samples_[to].density = density_[from];
  samples_[to].length = length_[from];
  samples_[to].distance = distance_[from];
  samples_[to].in_range = std::abs(log_density_[from]) <= kLargestLogDensity;
  samples_[to].free = false;  // until Backward() looks
  float* input = colour_inputs_.data() + to * kColourInputs;
  std::memcpy(
      input, outputs_.data() + from * kGeometry, kGeometry * sizeof(float));
  std::memcpy(input + kGeometry,
              harmonics_[sample.ray].data(),
              kHarmonics * sizeof(float));
  if (!train || from == to) return;
  x_[to] = x_[from];
  y_[to] = y_[from];
  z_[to] = z_[from];
  MoveRow(inputs_, kInputs, from, to);
  MoveRow(hidden_, kHidden, from, to);
}

void RayPacket::ColourForwardPass(const Model& model) {
  ColourForward(model.nets,
                {colour_inputs_.data(),
                 hidden0_.data(),
                 hidden1_.data(),
                 colours_.data()},
                kept_);
}

void RayPacket::Backward(const Model& model, GradientSink* sink) {
  Stopwatch watch;
  for (size_t i = 0; i < kept_; ++i) {
    samples_[i].free =
        model.free != nullptr && model.free->HasAt(x_[i], y_[i], z_[i]);
  }
  DifferentiateSamples(samples_.data(),
                       colours_.data(),
                       kept_,
                       sums_.data(),
                       d_colours_.data(),
                       d_log_density_.data());
  watch.Lap(&times_.composite);
  ColourBackward(model.nets,
                 {colour_inputs_.data(),
                  hidden0_.data(),
                  hidden1_.data(),
                  colours_.data()},
                 d_colours_.data(),
                 kept_,
                 scratch0_.data(),
                 scratch1_.data(),
                 d_outputs_.data(),
                 sink->nets.data());
  for (size_t i = 0; i < kept_; ++i) {
    d_outputs_[i * kGeometry] += d_log_density_[i];
  }
  DensityBackward(model.nets,
                  {inputs_.data(), hidden_.data(), outputs_.data()},
                  d_outputs_.data(),
                  kept_,
                  scratch0_.data(),
                  d_inputs_.data(),
                  sink->nets.data());
  const size_t at = sink->count;
  sink->count += kept_;
  sink->x.Reserve(sink->count);
  sink->y.Reserve(sink->count);
  sink->z.Reserve(sink->count);
  std::copy_n(x_.data(), kept_, sink->x.data() + at);
  std::copy_n(y_.data(), kept_, sink->y.data() + at);
  std::copy_n(z_.data(), kept_, sink->z.data() + at);
  for (int l = 0; l < kLevels; ++l) {
    sink->features[l].Reserve(sink->count * kFeatures);
    float* to = sink->features[l].data() + at * kFeatures;
    for (size_t i = 0; i < kept_; ++i) {
      std::memcpy(to + i * kFeatures,
                  d_inputs_.data() + i * kInputs + l * kFeatures,
                  kFeatures * sizeof(float));
    }
  }
  watch.Lap(&times_.backward);
}

void RayPacket::Reserve(size_t count) {
  for (Buffer<float>* one : {&x_,
                             &y_,
                             &z_,
                             &distance_,
                             &length_,
                             &log_density_,
                             &density_,
                             &transparency_,
                             &d_log_density_}) {
    one->Reserve(count);
  }
  inputs_.Reserve(count * kInputs);
  hidden_.Reserve(count * kHidden);
  outputs_.Reserve(count * kGeometry);
  samples_.Reserve(count);
  colour_inputs_.Reserve(count * kColourInputs);
  for (Buffer<float>* wide : {&hidden0_, &hidden1_, &scratch0_, &scratch1_}) {
    wide->Reserve(count * kHidden);
  }
  colours_.Reserve(count * kColoursPadded);
  d_colours_.Reserve(count * kColoursPadded);
  d_outputs_.Reserve(count * kGeometry);
  d_inputs_.Reserve(count * kInputs);
}

}  // namespace nerfpipe::nerf::kernels
