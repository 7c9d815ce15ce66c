#include "tests/pipeline/engine/walk_model.h"

#include <algorithm>

namespace nerfpipe {
namespace {

std::string InputName(const std::string& input) {
  return input == kCaptureInput ? "the capture" : input;
}

std::vector<std::string> PartsOf(
    const std::string& stage,
    const ToyOptions& options,
    const std::map<std::string, FileTree>& inputs) {
  std::vector<std::string> parts;
  for (int i = 0; i < toy::PartCount(stage, options); ++i) {
    parts.push_back(toy::Part(stage, options, inputs, i));
  }
  return parts;
}

std::optional<FileTree> TreeIn(const FileTree& files, const std::string& path) {
  FileTree tree;
  for (const auto& [name, text] : files) {
    if (name == path) {
      tree[""] = text;
    } else if (name.rfind(path + "/", 0) == 0) {
      tree[name.substr(path.size() + 1)] = text;
    }
  }
  return tree.empty() ? std::nullopt : std::optional(tree);
}

}  // namespace

std::string Shown(const WalkRun& run) {
  static const char* const kKinds[] = {
      "", ", fails", ", throws", ", is interrupted"};
  std::string text =
      (run.kind == WalkRun::Kind::kAgain ? "run again " : "run until ") +
      (run.stage.empty() ? "the end" : run.stage);
  if (run.disturbance.kind != Disturbance::Kind::kNone) {
    text += ": " + run.disturbance.stage + " at part " +
            std::to_string(run.disturbance.part) +
            kKinds[static_cast<int>(run.disturbance.kind)];
  }
  return text;
}

std::string Shown(const WalkOutcome& outcome) {
  std::string text = "end " + std::to_string(static_cast<int>(outcome.end)) +
                     " (" + outcome.about + "):";
  for (const std::string& note : outcome.notes) {
    text += " " + note + ";";
  }
  return text;
}

std::string Shown(const std::map<std::string, WalkStatus>& statuses) {
  std::string text;
  for (const auto& [stage, status] : statuses) {
    text += "\n    " + stage + " " + status.state + ", " + status.summary;
    for (const std::string& reason : status.reasons) {
      text += "; " + reason;
    }
  }
  return text;
}

std::optional<FileTree> WalkModel::TreeAt(const std::string& path) const {
  return path == kCaptureInput ? capture : TreeIn(disk, path);
}

WalkModel::Key WalkModel::KeyOf(const std::string& stage) const {
  Key key;
  key.options = toy::Effective(stage, options);
  for (const std::string& input : toy::Inputs(stage, options)) {
    key.inputs[input] = TreeAt(input).value_or(FileTree());
  }
  return key;
}

std::set<std::string> WalkModel::Reasons(const std::string& stage) const {
  static const State kNew;
  const auto found = states_.find(stage);
  const State& state = found == states_.end() ? kNew : found->second;
  if (state.damaged) {
    return {"its record is damaged"};
  }
  if (!state.record) {
    if (!state.failure.empty()) {
      return {"failed: " + state.failure};
    }
    return {state.unfinished ? "interrupted, will go on" : "never run"};
  }
  std::set<std::string> reasons;
  const Key now = KeyOf(stage);
  const Record& then = *state.record;
  for (const auto& [name, value] : now.options) {
    const auto old = then.key.options.find(name);
    if (old == then.key.options.end()) {
      reasons.insert("option " + name + " is new (" + value + ")");
    } else if (old->second != value) {
      reasons.insert("option " + name + " changed from " + old->second +
                     " to " + value);
    }
  }
  for (const auto& [name, value] : then.key.options) {
    if (!now.options.contains(name)) {
      reasons.insert("option " + name + " (" + value + ") no longer counts");
    }
  }
  for (const auto& [name, tree] : now.inputs) {
    if (!TreeAt(name)) {
      reasons.insert(InputName(name) + " is missing");
    } else if (!then.key.inputs.contains(name)) {
      reasons.insert(InputName(name) + " is a new input");
    } else if (then.key.inputs.at(name) != tree) {
      reasons.insert(InputName(name) + " changed");
    }
  }
  for (const auto& [name, tree] : then.key.inputs) {
    if (!now.inputs.contains(name)) {
      reasons.insert(InputName(name) + " is no longer an input");
    }
  }
  for (const std::string& path : toy::Outputs(stage, options)) {
    if (!then.outputs.contains(path)) {
      reasons.insert(path + " was not written yet");
    } else if (!TreeAt(path)) {
      reasons.insert("output " + path + " is missing");
    } else if (then.outputs.at(path) != *TreeAt(path)) {
      reasons.insert("output " + path + " was altered");
    }
  }
  return reasons;
}

std::map<std::string, WalkStatus> WalkModel::Status() const {
  std::map<std::string, WalkStatus> statuses;
  std::map<std::string, std::string> awaited;  // output to stage
  for (const std::string& stage : toy::kStages) {
    WalkStatus& status = statuses[stage];
    status.reasons = Reasons(stage);
    status.state = status.reasons.empty() ? "done" : "stale";
    const std::vector<std::string> inputs = toy::Inputs(stage, options);
    const auto waits =
        std::find_if(inputs.begin(), inputs.end(), [&](const auto& input) {
          return awaited.contains(input);
        });
    if (waits != inputs.end()) {
      status.state = "waiting";
      status.reasons = {"after " + awaited[*waits]};
    }
    if (status.state != "done") {
      for (const std::string& output : toy::Outputs(stage, options)) {
        awaited[output] = stage;
      }
    }
    const auto found = states_.find(stage);
    const State state = found == states_.end() ? State() : found->second;
    status.summary = status.state == "done"           ? "done"
                     : !state.failure.empty()         ? "failed"
                     : state.record && !state.damaged ? "stale"
                                                      : "not run";
  }
  return statuses;
}

std::string WalkModel::Foreign(const std::string& stage) const {
  const auto found = states_.find(stage);
  if (found != states_.end() && found->second.damaged) {
    return "";
  }
  for (const std::string& path : toy::Outputs(stage, options)) {
    const bool ours = found != states_.end() && found->second.record &&
                      found->second.record->outputs.contains(path);
    if (TreeAt(path) && !ours) {
      return path;
    }
  }
  return "";
}

void WalkModel::Begin(const std::string& stage) {
  State& state = states_[stage];
  const Key key = KeyOf(stage);
  if (!state.unfinished || !(state.unfinished->key == key)) {
    state.unfinished = Unfinished{key, 0};
  }
  state.failure.clear();
}

std::optional<WalkOutcome> WalkModel::Work(const std::string& stage,
                                           const Disturbance& disturbance,
                                           std::vector<std::string>* notes) {
  using End = WalkOutcome::End;
  using Kind = Disturbance::Kind;
  State& state = states_[stage];
  notes->push_back("begin " + stage);
  for (int i = 0; i < toy::PartCount(stage, options); ++i) {
    const bool disturbed = disturbance.stage == stage && disturbance.part == i;
    if (disturbed && disturbance.kind == Kind::kFailure) {
      state.failure = stage + " cannot";
      return WalkOutcome{End::kFailed, stage, *notes};
    }
    if (disturbed && disturbance.kind == Kind::kUserError) {
      state.failure = stage + " will not; feed it better";
      return WalkOutcome{End::kUserError, stage + " will not", *notes};
    }
    if (state.unfinished->parts <= i) {
      state.unfinished->parts = i + 1;
      notes->push_back("part " + stage + " " + std::to_string(i));
    }
    if (disturbed && disturbance.kind == Kind::kInterrupt) {
      return WalkOutcome{End::kInterrupted, "", *notes};
    }
  }
  notes->push_back("end " + stage);
  return std::nullopt;
}

void WalkModel::Commit(const std::string& stage) {
  State& state = states_[stage];
  Record record;
  record.key = KeyOf(stage);
  const FileTree files =
      toy::Files(stage, options, PartsOf(stage, options, record.key.inputs));
  const bool known = state.record && !state.damaged;
  // What the stage made under other options stays, and stays its own.
  if (known) {
    for (const auto& [path, tree] : state.record->outputs) {
      if (TreeAt(path)) {
        record.outputs[path] = tree;
      }
    }
  }
  for (const std::string& path : toy::Outputs(stage, options)) {
    const std::optional<FileTree> there = TreeAt(path);
    const bool untouched = known && state.record->outputs.contains(path) &&
                           there == state.record->outputs.at(path);
    if (there && !untouched) {
      saved.emplace(path, *there);
    }
    std::erase_if(disk, [&](const auto& file) {
      return file.first == path || file.first.rfind(path + "/", 0) == 0;
    });
    record.outputs[path] = *TreeIn(files, path);
  }
  disk.insert(files.begin(), files.end());
  state = State();
  state.record = record;
}

WalkOutcome WalkModel::Run(const WalkRun& run) {
  using End = WalkOutcome::End;
  WalkOutcome outcome;
  if (run.kind == WalkRun::Kind::kAgain) {
    const WalkStatus status = Status().at(run.stage);
    if (status.state == "waiting") {
      return {End::kUserError, "can only run " + *status.reasons.begin(), {}};
    }
    if (status.reasons.empty()) {
      states_[run.stage].unfinished.reset();
      states_[run.stage].failure.clear();
    }
  }
  for (const std::string& stage : toy::kStages) {
    const bool again = run.kind == WalkRun::Kind::kAgain && stage == run.stage;
    if (again ||
        (run.kind == WalkRun::Kind::kUntil && !Reasons(stage).empty())) {
      if (const std::string path = Foreign(stage); !path.empty()) {
        return {End::kUserError, path + " exists and was not", outcome.notes};
      }
      Begin(stage);
      if (auto cut = Work(stage, run.disturbance, &outcome.notes)) {
        return *cut;
      }
      Commit(stage);
    }
    if (stage == run.stage) {
      break;
    }
  }
  return outcome;
}

// A kill while the stage was being prepared: its unfinished work may be as it
// was, gone, or new, and its failure may be forgotten or not.
std::vector<WalkModel> WalkModel::BeforeBegin(const std::string& stage) const {
  std::vector<WalkModel> models = {*this};
  const auto add = [&](bool unfinished, bool failure) {
    WalkModel model = *this;
    State& state = model.states_[stage];
    if (!unfinished) state.unfinished.reset();
    if (!failure) state.failure.clear();
    models.push_back(model);
  };
  WalkModel begun = *this;
  begun.Begin(stage);
  models.push_back(begun);
  const auto found = states_.find(stage);
  const State state = found == states_.end() ? State() : found->second;
  const bool kept = state.unfinished && state.unfinished->key == KeyOf(stage);
  if (kept && !Reasons(stage).empty()) {
    add(true, false);
  } else {
    add(false, true);
    add(false, false);
  }
  return models;
}

std::vector<WalkModel> WalkModel::AfterKill(
    const WalkRun& run, const std::vector<std::string>& notes) const {
  std::vector<WalkModel> models;
  WalkModel model = *this;
  std::vector<std::string> foretold;
  const auto agrees = [&] {
    return notes.size() >= foretold.size() &&
           std::equal(foretold.begin(), foretold.end(), notes.begin());
  };
  for (const std::string& stage : toy::kStages) {
    const bool again = run.kind == WalkRun::Kind::kAgain;
    if (again ? stage == run.stage : !model.Reasons(stage).empty()) {
      if (again && model.Status().at(stage).state == "waiting") {
        break;
      }
      if (!model.Foreign(stage).empty()) {
        break;
      }
      if (notes.size() == foretold.size()) {
        const auto before = model.BeforeBegin(stage);
        models.insert(models.end(), before.begin(), before.end());
      }
      if (again && model.Reasons(stage).empty()) {
        model.states_[stage].unfinished.reset();
        model.states_[stage].failure.clear();
      }
      model.Begin(stage);
      // Each moment between two notes: with the part that comes next, or not.
      foretold.push_back("begin " + stage);
      Unfinished& work = *model.states_[stage].unfinished;
      for (int i = 0; agrees() && i <= toy::PartCount(stage, model.options);
           ++i) {
        const bool last = i == toy::PartCount(stage, model.options);
        if (last) {
          break;
        }
        if (work.parts > i) {
          continue;
        }
        if (notes.size() == foretold.size()) {
          models.push_back(model);
          work.parts = i + 1;
          models.push_back(model);
          return models;
        }
        work.parts = i + 1;
        foretold.push_back("part " + stage + " " + std::to_string(i));
      }
      if (!agrees()) {
        return models;
      }
      if (notes.size() == foretold.size()) {
        models.push_back(model);
        return models;
      }
      foretold.push_back("end " + stage);
      if (!agrees()) {
        return models;
      }
      if (notes.size() == foretold.size()) {
        models.push_back(model);
      }
      model.Commit(stage);
    }
    if (stage == run.stage) {
      break;
    }
  }
  if (agrees() && notes.size() == foretold.size()) {
    models.push_back(model);
  }
  return models;
}

bool WalkModel::HasRecord(const std::string& stage) const {
  const auto found = states_.find(stage);
  return found != states_.end() && found->second.record.has_value() &&
         !found->second.damaged;
}

void WalkModel::DamageRecord(const std::string& stage) {
  states_[stage].damaged = true;
}

FileTree WalkModel::Fresh() const {
  WalkModel fresh;
  fresh.options = options;
  fresh.capture = capture;
  fresh.Run({});
  return fresh.disk;
}

}  // namespace nerfpipe
