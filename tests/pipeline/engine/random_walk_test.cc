// Random sequences of edits, failures, interrupts, kills and runs against a
// model of what must happen.
//
// NERFPIPE_WALKS sets how many sequences the long tests walk (default 300),
// NERFPIPE_WALK_SEED the seed of the first; the others count on from it.

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/random.h"
#include "pipeline/engine/runner.h"
#include "tests/pipeline/engine/edit_in_place.h"
#include "tests/pipeline/engine/walk_model.h"
#include "tests/preload/file_calls.h"
#include "tests/temporary_folder.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <gtest/gtest.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using End = WalkOutcome::End;
using Kind = Disturbance::Kind;

const std::vector<std::string> kOutputs = {"frames",
                                           "cut.json",
                                           "look.txt",
                                           "images",
                                           "sparse/0",
                                           "train/x",
                                           "train/y",
                                           "renders"};

bool IsIn(const std::string& file, const std::string& output) {
  return file == output || file.rfind(output + "/", 0) == 0;
}

class Walk {
 public:
  explicit Walk(uint64_t seed) : random_(seed) {
    fs::create_directories(capture_);
    PutCapture("1.jpg", "photo 000001");
    PutCapture("2.jpg", "photo 000002");
  }

  void Go() {
    for (int i = 0; i < 9; ++i) {
      Step();
    }
    GetThrough();
  }

  // What every walk ends with: all done, as in a fresh workspace.
  void GetThrough() {
    pipeline_.disturbance = {};
    Settle();
    ClearTheWay();
    Run({});
    for (const auto& [path, text] : models_[0].Fresh()) {
      Expect(ReadFile(root_ / path) == text,
             path + " is not as in a fresh one");
    }
    Run({});
    Expect(Notes().empty(), "a second run did something");
    Settle();
  }

  FileTree Visible() const { return VisibleFiles(root_); }
  FileTree VisibleOfFreshRun() {
    const fs::path fresh = folder_ / "fresh";
    const Workspace workspace = Workspace::OpenOrCreate(fresh, capture_);
    Runner(workspace, pipeline_.Stages(), {}, {}, SilentReport()).RunUntil("");
    return VisibleFiles(fresh);
  }

  const std::string& trace() const { return trace_; }

 private:
  void Say(const std::string& line) { trace_ += "  " + line + "\n"; }
  void Expect(bool holds, const std::string& what) {
    if (!holds) {
      throw std::runtime_error(what);
    }
  }
  bool OneIn(uint64_t n) { return random_.Below(n) == 0; }
  template <typename T>
  const T& AnyOf(const std::vector<T>& choices) {
    return choices[random_.Below(choices.size())];
  }

  std::vector<std::string> Notes() const { return pipeline_.Notes(); }
  Runner MakeRunner() {
    return Runner(workspace_, pipeline_.Stages(), {}, {}, SilentReport());
  }

  // Keeps the models that agree with what was seen.
  template <typename Agrees>
  void Keep(const Agrees& agrees, const std::string& seen) {
    std::vector<WalkModel> kept;
    std::string foretold;
    for (WalkModel& model : models_) {
      std::string said;
      if (agrees(model, &said)) {
        if (std::find(kept.begin(), kept.end(), model) == kept.end()) {
          kept.push_back(model);
        }
      }
      foretold += "\n  foretold: " + said;
    }
    Expect(!kept.empty(), "seen: " + seen + foretold);
    models_ = kept;
  }

  void LookAtFiles() {
    const FileTree disk = Visible();
    std::multiset<std::pair<std::string, FileTree>> saved;
    const fs::path folder = workspace_.Internal() / "saved";
    for (const std::string& number : Names(folder)) {
      for (const std::string& output : kOutputs) {
        if (fs::exists(folder / number / output)) {
          saved.emplace(output, ReadTree(folder / number / output));
        }
      }
    }
    std::string seen = "files";
    for (const auto& [path, text] : disk) {
      seen += "\n    " + path + ": " + text.substr(0, 70);
    }
    for (const auto& [output, tree] : saved) {
      seen += "\n    saved " + output;
    }
    Keep(
        [&](const WalkModel& model, std::string* said) {
          for (const auto& [path, text] : model.disk) {
            *said += "\n    " + path + ": " + text.substr(0, 70);
          }
          for (const auto& [output, tree] : model.saved) {
            *said += "\n    saved " + output;
          }
          return model.disk == disk && model.saved == saved;
        },
        seen);
  }
  static std::vector<std::string> Names(const fs::path& folder) {
    std::vector<std::string> names;
    if (fs::exists(folder)) {
      for (const auto& entry : fs::directory_iterator(folder)) {
        names.push_back(entry.path().filename());
      }
    }
    return names;
  }

  // Status, and everything that a user finds.
  void Settle() {
    Runner runner = MakeRunner();
    runner.FinishCommits();
    std::map<std::string, WalkStatus> seen;
    static const char* const kStates[] = {"done", "stale", "waiting"};
    for (const StageStatus& status : runner.Status()) {
      seen[status.name].state = kStates[static_cast<int>(status.state)];
      seen[status.name].reasons = {status.reasons.begin(),
                                   status.reasons.end()};
    }
    const nlohmann::ordered_json summary = runner.Summary();
    for (const auto& [name, stage] : summary.at("stages").items()) {
      seen[name].summary = stage.at("state");
    }
    Keep(
        [&](const WalkModel& model, std::string* said) {
          const auto foretold = model.Status();
          *said = Shown(foretold);
          return foretold == seen;
        },
        "status" + Shown(seen));
    LookAtFiles();
    settled_ = true;
  }

  WalkOutcome Carry(const WalkRun& run) {
    WalkOutcome outcome;
    pipeline_.disturbance = run.disturbance;
    try {
      Runner runner = MakeRunner();
      const RunOutcome seen = run.kind == WalkRun::Kind::kAgain
                                  ? runner.RunAgain(run.stage)
                                  : runner.RunUntil(run.stage);
      outcome.end = seen.ok ? End::kDone : End::kFailed;
      outcome.about = seen.failed_stage;
    } catch (const UserError& error) {
      outcome.end = End::kUserError;
      outcome.about = error.what();
    } catch (const Interrupted&) {
      outcome.end = End::kInterrupted;
    }
    RequestInterrupt(false);
    pipeline_.disturbance = {};
    outcome.notes = Notes();
    return outcome;
  }

  void Compare(const WalkRun& run, const WalkOutcome& seen, bool words) {
    Keep(
        [&](WalkModel& model, std::string* said) {
          const WalkOutcome foretold = model.Run(run);
          *said = Shown(foretold);
          return foretold.end == seen.end && foretold.notes == seen.notes &&
                 (!words ||
                  seen.about.find(foretold.about) != std::string::npos);
        },
        Shown(seen));
    LookAtFiles();
    settled_ = true;
  }

  void Run(const WalkRun& run) {
    Say(Shown(run));
    fs::remove(pipeline_.notes);
    const WalkOutcome outcome = Carry(run);
    Compare(run, outcome, true);
  }

  void RunAndKill(const WalkRun& run) {
    fs::remove(pipeline_.notes);
    const uint64_t step = 1 + random_.Below(400);
    const bool by_time = OneIn(4);
    const pid_t child = fork();
    if (child == 0) {
      if (by_time) {
        struct itimerval timer = {};
        timer.it_value.tv_usec = static_cast<suseconds_t>(step * 20);
        setitimer(ITIMER_REAL, &timer, nullptr);
      } else {
        CountFileCallsUnder(root_);
        KillAtFileCall(static_cast<int64_t>(step));
      }
      _exit(10 + static_cast<int>(Carry(run).end));
    }
    int status = 0;
    waitpid(child, &status, 0);
    Say(Shown(run) + ", killed " +
        (by_time ? "after " + std::to_string(step * 20) + " us"
                 : "at call " + std::to_string(step)) +
        (WIFSIGNALED(status) ? "" : " (came to its end)"));
    if (!WIFSIGNALED(status)) {
      Expect(WEXITSTATUS(status) >= 10, "the child broke");
      Compare(run,
              {static_cast<End>(WEXITSTATUS(status) - 10), "", Notes()},
              false);
      return;
    }
    std::vector<WalkModel> after;
    for (const WalkModel& model : models_) {
      const auto states = model.AfterKill(run, Notes());
      after.insert(after.end(), states.begin(), states.end());
    }
    Expect(!after.empty(), "could not be: " + Shown({{}, "", Notes()}));
    models_ = after;
    settled_ = false;
  }

  void Step() {
    if (!settled_ && OneIn(2)) {
      Settle();
    }
    if (settled_) {
      for (uint64_t edits = random_.Below(3); edits > 0; --edits) {
        Edit();
      }
    }
    WalkRun run;
    if (OneIn(3)) {
      run.stage = AnyOf(toy::kStages);
      run.kind = OneIn(2) ? WalkRun::Kind::kAgain : WalkRun::Kind::kUntil;
    }
    if (OneIn(3)) {
      RunAndKill(run);
      return;
    }
    if (OneIn(2)) {
      const auto kind = static_cast<Kind>(1 + random_.Below(3));
      run.disturbance = {
          kind, AnyOf(toy::kStages), static_cast<int>(random_.Below(3))};
    }
    Run(run);
    if (OneIn(3)) {
      Settle();
    }
    if (OneIn(2)) {
      ClearTheWay();
    }
  }

  void Edit() {
    switch (random_.Below(6)) {
      case 0:
      case 1:
        return EditOption();
      case 2:
        return EditCapture();
      case 3:
        return EditOutput();
      case 4:
        return DamageRecord();
      default:
        return AddForeign();
    }
  }

  void EditOption() {
    ToyOptions& options = pipeline_.options;
    const int value = static_cast<int>(random_.Below(3));
    switch (random_.Below(9)) {
      case 0:
        options.count = 1 + value;
        break;
      case 1:
        options.speed = value;
        break;
      case 2:
        options.mark = std::string(1, static_cast<char>('m' + value));
        break;
      case 3:
        options.level = value;
        break;
      case 4:
        options.seed = value;
        break;
      case 5:
        options.x_steps = 1 + value;
        break;
      case 6:
        options.y_steps = 1 + value;
        break;
      case 7:
        options.scale = 1 + value;
        break;
      default:
        options.method = options.method == "x" ? "y" : "x";
    }
    Say("options: count " + std::to_string(options.count) + ", mark " +
        options.mark + ", level " + std::to_string(options.level) + ", seed " +
        std::to_string(options.seed) + ", method " + options.method + " " +
        std::to_string(options.x_steps) + "/" +
        std::to_string(options.y_steps) + ", scale " +
        std::to_string(options.scale));
    for (WalkModel& model : models_) {
      model.options = options;
    }
  }

  std::string NewPhoto() {
    return "photo " + std::to_string(100'000 + random_.Below(900'000));
  }
  void PutCapture(const std::string& name, const std::string& text) {
    std::ofstream(capture_ / name) << text;
    for (WalkModel& model : models_) {
      model.capture[name] = text;
    }
  }
  void EditCapture() {
    const FileTree capture = models_[0].capture;
    const std::string name = capture.begin()->first;
    switch (random_.Below(4)) {
      case 0: {
        std::string text = NewPhoto();
        text.resize(capture.at(name).size(), '.');
        Say("capture: " + name + " edited in place, size and time kept");
        EditInPlace(capture_ / name, text);
        for (WalkModel& model : models_) {
          model.capture[name] = text;
        }
        return;
      }
      case 1:
        Say("capture: " + name + " edited");
        return PutCapture(name, NewPhoto() + (OneIn(2) ? " longer" : ""));
      case 2:
        Say("capture: another photo");
        return PutCapture(std::to_string(random_.Below(6)) + ".jpg",
                          NewPhoto());
      default:
        if (capture.size() > 1) {
          Say("capture: " + name + " deleted");
          fs::remove(capture_ / name);
          for (WalkModel& model : models_) {
            model.capture.erase(name);
          }
        }
    }
  }

  void PutOnDisk(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
    for (WalkModel& model : models_) {
      model.disk[path] = text;
    }
  }
  void RemoveFromDisk(const std::string& path) {
    fs::remove_all(root_ / path);
    for (WalkModel& model : models_) {
      std::erase_if(model.disk,
                    [&](const auto& file) { return IsIn(file.first, path); });
    }
  }
  void EditOutput() {
    std::vector<std::string> files;
    const std::string output = AnyOf(kOutputs);
    for (const auto& [path, text] : models_[0].disk) {
      if (IsIn(path, output)) {
        files.push_back(path);
      }
    }
    if (files.empty()) {
      return;
    }
    const std::string file = AnyOf(files);
    std::string text = models_[0].disk.at(file);
    switch (random_.Below(5)) {
      case 0:
        text[random_.Below(text.size())] = '!';
        Say("output: " + file + " edited in place, size and time kept");
        EditInPlace(root_ / file, text);
        for (WalkModel& model : models_) {
          model.disk[file] = text;
        }
        return;
      case 1:
        Say("output: " + file + " made longer");
        return PutOnDisk(file, text + "mine");
      case 2:
        if (files.size() > 1) {
          Say("output: " + file + " deleted");
          return RemoveFromDisk(file);
        }
        [[fallthrough]];
      case 3:
        Say("output: " + output + " deleted");
        return RemoveFromDisk(output);
      default:
        if (file != output) {
          Say("output: a file put into " + output);
          PutOnDisk(output + "/mine", "of the user");
        }
    }
  }

  void DamageRecord() {
    const std::string stage = AnyOf(toy::kStages);
    for (const WalkModel& model : models_) {
      if (!model.HasRecord(stage)) {
        return;
      }
    }
    Say("record of " + stage + " damaged");
    const fs::path path = workspace_.ManifestPath(stage);
    std::string text = ReadFile(path);
    if (OneIn(2)) {
      text.resize(text.size() / 2);
    } else {
      text[text.find("\"line\"") + 10] ^= 1;
    }
    std::ofstream(path) << text;
    for (WalkModel& model : models_) {
      model.DamageRecord(stage);
    }
  }

  void AddForeign() {
    switch (random_.Below(4)) {
      case 0:
        return PutOnDisk("notes.txt", "notes of the user");
      case 1:
        return PutOnDisk("train/notes.txt", "more notes");
      default: {
        const std::string output =
            AnyOf<std::string>({"frames", "train/x", "train/y", "renders"});
        if (!fs::exists(root_ / output)) {
          Say("a foreign " + output);
          PutOnDisk(output + "/foreign", "of the user");
        }
      }
    }
  }
  // The user moves away what is refused.
  void ClearTheWay() {
    for (const std::string& output : kOutputs) {
      if (settled_ && models_[0].disk.contains(output + "/foreign")) {
        Say("the foreign " + output + " removed");
        RemoveFromDisk(output);
      }
    }
  }

  Random random_;
  TemporaryFolder folder_{FastPlace()};
  fs::path capture_ = folder_ / "capture";
  fs::path root_ = folder_ / "w";
  Workspace workspace_ = Workspace::OpenOrCreate(root_, capture_);
  ToyPipeline pipeline_{folder_ / "notes"};
  std::vector<WalkModel> models_{1};
  bool settled_ = true;
  std::string trace_;
};

uint64_t Number(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// So many walks, behind those that were skipped.
void WalkThrough(uint64_t skipped, uint64_t walks) {
  const uint64_t first = Number("NERFPIPE_WALK_SEED", 1) + skipped;
  for (uint64_t seed = first; seed < first + walks; ++seed) {
    Walk walk(seed);
    try {
      walk.Go();
    } catch (const std::exception& error) {
      FAIL() << "NERFPIPE_WALKS=1 NERFPIPE_WALK_SEED=" << seed << "\n"
             << walk.trace() << error.what();
    }
    if (seed % 10 == 0) {
      FileTree fresh = walk.VisibleOfFreshRun();
      const FileTree visible = walk.Visible();
      for (const auto& [path, text] : fresh) {
        ASSERT_EQ(visible.at(path), text) << "seed " << seed << ", " << path;
      }
    }
  }
}

TEST(RandomWalk, AgreesWithTheModel) { WalkThrough(0, 10); }

// Two halves, for two cores.
TEST(RandomWalk, LongFirstHalfAgreesWithTheModel) {
  const uint64_t walks = Number("NERFPIPE_WALKS", 300);
  WalkThrough(0, walks - walks / 2);
}

TEST(RandomWalk, LongSecondHalfAgreesWithTheModel) {
  const uint64_t walks = Number("NERFPIPE_WALKS", 300);
  WalkThrough(walks - walks / 2, walks / 2);
}

}  // namespace
}  // namespace nerfpipe
