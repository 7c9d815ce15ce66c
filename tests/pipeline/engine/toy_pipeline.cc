#include "tests/pipeline/engine/toy_pipeline.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/digest.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"

#include <fstream>

namespace nerfpipe {

namespace fs = std::filesystem;

FileTree ReadTree(const fs::path& path) {
  FileTree tree;
  if (fs::is_regular_file(path)) {
    tree[""] = ReadFile(path);
  } else if (fs::is_directory(path)) {
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) {
        tree[entry.path().lexically_relative(path).string()] =
            ReadFile(entry.path());
      }
    }
  }
  return tree;
}

FileTree VisibleFiles(const fs::path& root) {
  FileTree files;
  for (const auto& entry : fs::directory_iterator(root)) {
    const std::string name = entry.path().filename();
    if (name == ".nerfpipe" || name == "summary.json") {
      continue;
    }
    for (const auto& [path, text] : ReadTree(entry.path())) {
      files[name + (path.empty() ? "" : "/" + path)] = text;
    }
  }
  return files;
}

namespace toy {

const std::vector<std::string> kStages = {
    "cut", "look", "solve", "train", "render"};

std::vector<std::string> Inputs(const std::string& stage,
                                const ToyOptions& options) {
  if (stage == "cut") return {kCaptureInput};
  if (stage == "look") return {"frames"};
  if (stage == "solve") return {"look.txt", "frames"};
  if (stage == "train") return {"images"};
  return {"sparse/0", "train/" + options.method};
}

std::vector<std::string> Outputs(const std::string& stage,
                                 const ToyOptions& options) {
  if (stage == "cut") return {"frames", "cut.json"};
  if (stage == "look") return {"look.txt"};
  if (stage == "solve") return {"images", "sparse/0"};
  if (stage == "train") return {"train/" + options.method};
  return {"renders"};
}

std::map<std::string, std::string> Effective(const std::string& stage,
                                             const ToyOptions& options) {
  const auto text = [](int number) { return std::to_string(number); };
  if (stage == "cut") return {{"cut.count", text(options.count)}};
  if (stage == "look") {
    return {{"look.mark", options.mark}, {"look.level", text(options.level)}};
  }
  if (stage == "solve") return {{"solve.seed", text(options.seed)}};
  if (stage == "render") return {{"render.scale", text(options.scale)}};
  const bool x = options.method == "x";
  return {
      {"train.method", options.method},
      {x ? "x.steps" : "y.steps", text(x ? options.x_steps : options.y_steps)}};
}

int PartCount(const std::string& stage, const ToyOptions& options) {
  if (stage == "cut") return options.count;
  if (stage == "look") return 1;
  if (stage == "train") {
    return options.method == "x" ? options.x_steps : options.y_steps;
  }
  return stage == "solve" ? 3 : 2;
}

std::string Part(const std::string& stage,
                 const ToyOptions& options,
                 const std::map<std::string, FileTree>& inputs,
                 int index) {
  std::map<std::string, std::string> effective = Effective(stage, options);
  effective.erase("look.level");
  std::string text = stage + " " + std::to_string(index);
  for (const auto& [name, value] : effective) {
    text += " " + name + "=" + value;
  }
  DigestBuilder content;
  for (const auto& [name, tree] : inputs) {
    content.Add(name);
    for (const auto& [path, file] : tree) {
      content.Add(path).Add(file);
    }
  }
  return text + " from " + content.Finish();
}

FileTree Files(const std::string& stage,
               const ToyOptions& options,
               const std::vector<std::string>& parts) {
  FileTree files;
  std::string all;
  for (const std::string& part : parts) {
    all += part + "\n";
  }
  const std::vector<std::string> outputs = Outputs(stage, options);
  if (stage == "look") {
    return {{outputs[0], all}};
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    files[outputs[0] + "/" + std::to_string(i)] = parts[i];
  }
  if (stage == "cut") files["cut.json"] = all;
  if (stage == "solve") files["sparse/0/points/all"] = all;
  return files;
}

}  // namespace toy

namespace {

class ToyStage : public Stage {
 public:
  ToyStage(ToyPipeline* pipeline, std::string name)
      : pipeline_(pipeline), name_(std::move(name)) {}

  std::string Name() const override { return name_; }
  int Version() const override {
    return name_ == "train" ? pipeline_->version : 1;
  }
  std::string Description() const override { return "plays " + name_; }
  std::vector<std::string> Inputs() const override {
    return toy::Inputs(name_, pipeline_->options);
  }
  std::vector<std::string> Outputs() const override {
    return toy::Outputs(name_, pipeline_->options);
  }
  bool Matters(const OptionGroup& group) const override {
    return group.name() == name_ || group.name() == pipeline_->options.method;
  }
  std::vector<OptionGroup> Options() override {
    ToyOptions& options = pipeline_->options;
    OptionGroup group(name_);
    group.Integer("speed", &options.speed, "no result", 0, 9, Effect::kNone);
    if (name_ == "cut") group.Integer("count", &options.count, "", 1, 9);
    if (name_ == "look") {
      group.Text("mark", &options.mark, "")
          .Integer("level", &options.level, "", 0, 9);
    }
    if (name_ == "solve") group.Integer("seed", &options.seed, "", 0, 9);
    if (name_ == "render") group.Integer("scale", &options.scale, "", 1, 9);
    if (name_ != "train") {
      return {group};
    }
    group.Choice("method", &options.method, {"x", "y"}, "");
    OptionGroup x("x");
    OptionGroup y("y");
    x.Integer("steps", &options.x_steps, "", 1, 9);
    y.Integer("steps", &options.y_steps, "", 1, 9);
    return {group, x, y};
  }

  StageResult Run(const StageContext& context) override {
    const ToyOptions& options = pipeline_->options;
    Note("begin " + name_);
    std::map<std::string, FileTree> inputs;
    for (const std::string& input : Inputs()) {
      inputs[input] = ReadTree(
          input == kCaptureInput ? context.capture : context.workspace / input);
    }
    std::vector<std::string> parts;
    for (int i = 0; i < toy::PartCount(name_, options); ++i) {
      if (Disturbed(i, Disturbance::Kind::kFailure)) {
        return StageResult::Failed(name_ + " cannot");
      }
      if (Disturbed(i, Disturbance::Kind::kUserError)) {
        throw UserError(name_ + " will not", "feed it better");
      }
      if (Disturbed(i, Disturbance::Kind::kInterrupt)) {
        RequestInterrupt(true);
      }
      const fs::path part = context.scratch / std::to_string(i);
      if (!fs::exists(part)) {
        WriteFileAtomically(part, toy::Part(name_, options, inputs, i));
        Note("part " + name_ + " " + std::to_string(i));
      }
      parts.push_back(ReadFile(part));
      ThrowIfInterrupted();
    }
    for (const auto& [path, text] : toy::Files(name_, options, parts)) {
      fs::create_directories((context.out / path).parent_path());
      std::ofstream(context.out / path) << text;
    }
    Note("end " + name_);
    return StageResult::Done(name_ + " made it");
  }

 private:
  bool Disturbed(int part, Disturbance::Kind kind) const {
    const Disturbance& disturbance = pipeline_->disturbance;
    return disturbance.kind == kind && disturbance.stage == name_ &&
           disturbance.part == part;
  }
  void Note(const std::string& line) const {
    std::ofstream(pipeline_->notes, std::ios::app) << line << "\n";
  }

  ToyPipeline* pipeline_;
  std::string name_;
};

}  // namespace

ToyPipeline::ToyPipeline(fs::path notes_file) : notes(std::move(notes_file)) {
  for (const std::string& name : toy::kStages) {
    stages_.push_back(std::make_unique<ToyStage>(this, name));
  }
}

ToyPipeline::~ToyPipeline() = default;

std::vector<std::string> ToyPipeline::Notes() const {
  std::vector<std::string> lines;
  std::ifstream file(notes);
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::vector<Stage*> ToyPipeline::Stages() const {
  std::vector<Stage*> stages;
  for (const auto& stage : stages_) {
    stages.push_back(stage.get());
  }
  return stages;
}

}  // namespace nerfpipe
