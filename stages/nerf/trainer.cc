#include "stages/nerf/trainer.h"

#include "pipeline/base/error.h"
#include "stages/nerf/archive.h"
#include "stages/nerf/checkpoint.h"
#include "stages/nerf/method_facts.h"
#include "stages/nerf/methods.h"
#include "stages/nerf/options_text.h"
#include "stages/nerf/scene_analysis.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>
#include <utility>
#include <vector>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/cuda.h>
#include <torch/serialize/archive.h>

namespace nerfpipe::nerf {
namespace {

using Clock = std::chrono::steady_clock;

// Of a run by time.
constexpr int kUnlimitedSteps = 1'000'000'000;
// Share of a run that goes on in which the learning rate grows again.
constexpr double kWarmUp = 0.05;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Sums since the last report.
struct Window {
  double seconds = 0;
  double pixels = 0;
  double samples = 0;
  double loss = 0;
  double psnr = 0;
  double learning_rate = 0;  // of the last step
  int64_t steps = 0;
};

MethodContext ContextOf(const Dataset& dataset,
                        SceneFrame frame,
                        Options options,
                        torch::Device device) {
  if (dataset.train.empty()) {
    throw UserError("the data set has no training images",
                    "give it images, or hold out fewer of them");
  }
  MethodContext context;
  context.options = std::move(options);
  TrainOptions& train = context.options.train;
  const MethodEntry& method = FindMethod(train.method);
  const RunFacts facts = FactsOfRun(dataset, frame.bounded, device);
  const MethodFacts& known = FactsOf(method.name);
  if (train.deterministic && train.time > 0) {
    const int steps = StepsFor(known, train.time, facts.pixels);
    train.steps = train.steps > 0 ? std::min(steps, train.steps) : steps;
    train.time = 0;
  }
  if (train.steps == 0) {
    train.steps = train.time > 0
                      ? kUnlimitedSteps
                      : StepsFor(known, known.default_seconds, facts.pixels);
  }
  method.settle(&context.options, facts);
  context.frame = std::move(frame);
  context.has_alpha = std::any_of(
      dataset.train.begin(), dataset.train.end(), [](const View& view) {
        const torch::Tensor& image = view.image;
        return image.defined() && image.dim() == 3 && image.size(2) == 4;
      });
  context.background = dataset.background;
  context.device = device;
  return context;
}

// Frame and background as numbers, in a fixed order.
torch::Tensor SceneNumbers(const MethodContext& context) {
  const SceneFrame& frame = context.frame;
  std::vector<double> numbers(frame.normalised_from_world.begin(),
                              frame.normalised_from_world.end());
  for (const double value : {frame.scale,
                             frame.near,
                             frame.far,
                             frame.ndc_focal_x,
                             frame.ndc_focal_y,
                             static_cast<double>(frame.type),
                             static_cast<double>(frame.ndc),
                             static_cast<double>(frame.bounded),
                             static_cast<double>(frame.lindisp),
                             static_cast<double>(context.has_alpha),
                             context.background[0],
                             context.background[1],
                             context.background[2]}) {
    numbers.push_back(value);
  }
  return torch::tensor(torch::ArrayRef<double>(numbers), torch::kFloat64);
}

void SetSceneNumbers(const torch::Tensor& numbers, MethodContext& context) {
  const double* value = numbers.data_ptr<double>();
  SceneFrame& frame = context.frame;
  std::copy_n(value, 12, frame.normalised_from_world.begin());
  value += 12;
  frame.scale = value[0];
  frame.near = value[1];
  frame.far = value[2];
  frame.ndc_focal_x = value[3];
  frame.ndc_focal_y = value[4];
  frame.type = static_cast<SceneType>(static_cast<int>(value[5]));
  frame.ndc = value[6] != 0;
  frame.bounded = value[7] != 0;
  frame.lindisp = value[8] != 0;
  context.has_alpha = value[9] != 0;
  std::copy_n(value + 10, 3, context.background.begin());
}

// What the run of a checkpoint was made from; its data set is elsewhere.
MethodContext ReadContext(torch::serialize::InputArchive& archive,
                          torch::Device device) {
  MethodContext context;
  context.device = device;
  context.options = OptionsFromText(ReadText(archive, "trainer.options"));
  context.frame.reason = ReadText(archive, "trainer.reason");
  torch::Tensor numbers = SceneNumbers(context);
  ReadInto(archive, "trainer.scene", numbers);
  SetSceneNumbers(numbers, context);
  const MethodEntry& method = FindMethod(context.options.train.method);
  if (method.settle_earlier != nullptr) {
    method.settle_earlier(&context.options, context.frame.bounded);
  }
  return context;
}

// In words, for somebody who changed something.
std::string SceneDifference(const MethodContext& a, const MethodContext& b) {
  if (a.frame.type != b.frame.type) {
    return "train.scene (" + NameOf(a.frame.type) + ", here " +
           NameOf(b.frame.type) + ")";
  }
  return "place of the cameras or background";
}

}  // namespace

torch::Tensor ToBytes(const torch::Tensor& rgb) {
  return (rgb.clamp(0, 1) * 255 + 0.5).to(torch::kUInt8);
}

Trainer::Trainer(Dataset dataset,
                 SceneFrame frame,
                 Options options,
                 torch::Device device)
    : dataset_(std::move(dataset)),
      context_(
          ContextOf(dataset_, std::move(frame), std::move(options), device)) {
  context_.dataset = &dataset_;
  MakeMethod();
}

Trainer::Trainer(MethodContext context) : context_(std::move(context)) {
  MakeMethod();
}

void Trainer::MakeMethod() {
  UseThreads();
  method_ = FindMethod(context_.options.train.method).make(context_);
}

void Trainer::UseThreads() const {
  int threads = context_.options.train.threads;
  if (threads <= 0) {
    threads = static_cast<int>(std::thread::hardware_concurrency());
  }
  at::set_num_threads(std::max(1, threads));
  // For all of the process: a trial of another device may have set it.
  at::globalContext().setDeterministicAlgorithms(
      context_.options.train.deterministic && !context_.device.is_cpu(),
      /*warn_only=*/true);
}

double Trainer::Done() const {
  const double by_steps =
      static_cast<double>(step_) / static_cast<double>(steps());
  const double time = context_.options.train.time;
  return time > 0 ? std::max(by_steps, (seconds_ - earlier_seconds_) / time)
                  : by_steps;
}

void Trainer::Run(int64_t until, const TrainCallbacks& callbacks) {
  NERFPIPE_CHECK(context_.dataset != nullptr);
  UseThreads();
  const TrainOptions& train = context_.options.train;
  const int64_t end = until > 0 ? std::min(until, steps()) : steps();
  Window window;
  double since_checkpoint = 0;
  TrainProgress progress;
  progress.steps = steps();
  const auto measure = [&] {
    const double n = static_cast<double>(std::max<int64_t>(1, window.steps));
    const double seconds = std::max(1e-9, window.seconds);
    progress.step = step_;
    progress.seconds = seconds_;
    progress.spent = seconds_ - earlier_seconds_;
    progress.finished = finished();
    progress.eta_seconds =
        static_cast<double>(steps() - step_) * window.seconds / n;
    if (train.time > 0) {
      progress.eta_seconds =
          std::min(progress.eta_seconds, train.time - progress.spent);
    }
    progress.pixels_per_second = window.pixels / seconds;
    progress.samples_per_second = window.samples / seconds;
    progress.loss = window.loss / n;
    progress.psnr = window.psnr / n;
    progress.learning_rate = window.learning_rate;
  };
  const auto report = [&] {
    measure();
    window = {};
    if (callbacks.progress) {
      callbacks.progress(progress);
    }
  };

  while (step_ < end && !finished()) {
    const auto start = Clock::now();
    Schedule schedule;
    schedule.done = Done();
    if (earlier_seconds_ > 0) {
      schedule.warm_up = std::min(1.0, schedule.done / kWarmUp);
    }
    const StepReport step = method_->Step(step_, schedule);
    ++step_;
    const double elapsed = SecondsSince(start);
    seconds_ += elapsed;
    since_checkpoint += elapsed;
    window.seconds += elapsed;
    window.pixels += static_cast<double>(step.pixels);
    window.samples += static_cast<double>(step.samples);
    window.loss += step.loss;
    window.psnr += step.psnr;
    window.learning_rate = step.learning_rate;
    ++window.steps;
    const bool stop = callbacks.stop && callbacks.stop();
    if (stop || step_ == end || finished() || step_ % train.report_every == 0) {
      report();
    }
    if (stop) {
      return;
    }
    const bool due = train.checkpoint_every > 0
                         ? step_ % train.checkpoint_every == 0
                         : train.checkpoint_seconds > 0 &&
                               since_checkpoint >= train.checkpoint_seconds;
    if (due && callbacks.checkpoint) {
      since_checkpoint = 0;
      if (window.steps > 0) measure();  // else that was just reported
      callbacks.checkpoint(progress);
    }
  }
}

void Trainer::Save(const std::filesystem::path& path) {
  torch::serialize::OutputArchive archive;
  Write(archive, "trainer.options", OptionsText(context_.options));
  Write(archive, "trainer.scene", SceneNumbers(context_));
  Write(archive, "trainer.reason", context_.frame.reason);
  // Not with its number: there may be fewer where it is read.
  Write(archive,
        "trainer.device",
        std::string(context_.device.is_cpu() ? "cpu" : "cuda"));
  Write(archive, "trainer.step", torch::tensor(step_));
  Write(archive,
        "trainer.seconds",
        torch::tensor({seconds_, earlier_seconds_}, torch::kFloat64));
  method_->Save(archive);
  WriteCheckpoint(archive, path);
}

void Trainer::Load(const std::filesystem::path& path) {
  torch::serialize::InputArchive archive;
  ReadCheckpoint(archive, path, context_.device);
  const MethodContext stored = ReadContext(archive, context_.device);
  // What was settled since takes the place of what was left open.
  std::string difference = FirstDifference(
      ReadText(archive, "trainer.options") + OptionsText(stored.options),
      OptionsText(context_.options));
  if (difference.empty() &&
      !SceneNumbers(stored).equal(SceneNumbers(context_))) {
    difference = SceneDifference(stored, context_);
  }
  if (!difference.empty()) {
    throw UserError("the checkpoint " + path.string() +
                        " is of a run with another " + difference,
                    "use the same options, or remove it to train again");
  }
  LoadState(archive, path);
}

Options Trainer::OptionsOf(const std::filesystem::path& path) {
  torch::serialize::InputArchive archive;
  ReadCheckpoint(archive, path, torch::kCPU);
  return ReadContext(archive, torch::kCPU).options;
}

torch::Device Trainer::DeviceOf(const std::filesystem::path& path) {
  torch::serialize::InputArchive archive;
  ReadCheckpoint(archive, path, torch::kCPU);
  const bool on_gpu = Has(archive, "trainer.device") &&
                      ReadText(archive, "trainer.device") == "cuda";
  return on_gpu && torch::cuda::is_available() ? torch::kCUDA : torch::kCPU;
}

void Trainer::LoadState(torch::serialize::InputArchive& archive,
                        const std::filesystem::path& path) {
  try {
    method_->Load(archive);
    torch::Tensor seconds = torch::zeros({2}, torch::kFloat64);
    ReadInto(archive, "trainer.seconds", seconds);
    seconds_ = seconds[0].item<double>();
    earlier_seconds_ = seconds[1].item<double>();
    step_ = ReadInteger(archive, "trainer.step");
  } catch (const UserError& error) {
    throw UserError(error.problem() + " (" + path.string() + ")",
                    error.remedy());
  }
}

std::unique_ptr<Trainer> Trainer::FromCheckpoint(
    const std::filesystem::path& path, int threads, torch::Device device) {
  torch::serialize::InputArchive archive;
  ReadCheckpoint(archive, path, device);
  MethodContext context = ReadContext(archive, device);
  context.options.train.threads = threads;
  std::unique_ptr<Trainer> trainer(new Trainer(std::move(context)));
  trainer->LoadState(archive, path);
  return trainer;
}

}  // namespace nerfpipe::nerf
