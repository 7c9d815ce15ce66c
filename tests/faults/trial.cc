#include "tests/faults/trial.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/digest.h"
#include "pipeline/base/text.h"
#include "pipeline/engine/manifest.h"
#include "tests/end_to_end/visible_files.h"
#include "tests/preload/recorded_run.h"
#include "tests/run_program.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <set>
#include <stdexcept>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

constexpr char kFrameList[] = ".nerfpipe/frames.json";
constexpr double kLongest = 120;  // seconds, of a run that hangs

// What a last line may not say when the machine is to blame.
constexpr const char* kWrongWords[] = {"internal error",
                                       "bug",
                                       "damaged",
                                       "died",
                                       "cut short",
                                       "cut off",
                                       "left out",
                                       "is not a",
                                       "cannot be decoded",
                                       "check that it is still there"};

std::vector<std::string> CausesOf(int error) {
  std::vector<std::string> causes = {std::strerror(error)};
  if (error == ENOSPC) causes.push_back("disk is full");
  // In the words of SQLite, which has no more to say.
  causes.push_back("disk I/O error");
  causes.push_back("the disk is full, or fails");
  if (error == ENOMEM) causes.push_back("memory ran out");
  return causes;
}

bool Holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// What a user calls the file: without what temporary files and those of SQLite
// have behind it.
std::string NameOf(const fs::path& path) {
  std::string name = path.filename().string();
  const size_t part = name.rfind(".part");
  if (name[0] == '.' && part != std::string::npos) {
    name = name.substr(1, part - 1);
  }
  for (const char* end : {".tmp", "-journal", "-wal"}) {
    const size_t at = name.rfind(end);
    if (at != std::string::npos && at > 0) name.resize(at);
  }
  if (name.starts_with("unfinished_")) name = name.substr(11);
  return name;
}

bool Changes(const std::string& call) {
  static const std::set<std::string> kChanging = {"create",
                                                  "write",
                                                  "truncate",
                                                  "fsync",
                                                  "syncfs",
                                                  "rename",
                                                  "link",
                                                  "unlink",
                                                  "mkdir"};
  return kChanging.contains(call);
}

bool TakesRoom(const std::string& call) {
  return call == "create" || call == "write" || call == "mkdir";
}

std::string WordFor(Whose whose) {
  return whose == Whose::kChild ? "--isolated-stage" : "!--isolated-stage";
}

// Those of `files` at or below `path`.
std::map<std::string, std::string> Below(
    const std::map<std::string, std::string>& files, const std::string& path) {
  std::map<std::string, std::string> below;
  for (const auto& [name, digest] : files) {
    if (name == path || name.starts_with(path + "/") ||
        name.starts_with(path + ": ")) {
      below[name] = digest;
    }
  }
  return below;
}

std::string FirstDifference(const std::map<std::string, std::string>& found,
                            const std::map<std::string, std::string>& wanted) {
  for (const auto& [name, digest] : wanted) {
    const auto other = found.find(name);
    if (other == found.end()) return name + " is missing";
    if (other->second != digest) return name + " differs";
  }
  for (const auto& [name, digest] : found) {
    if (!wanted.contains(name)) return name + " should not be there";
  }
  return "";
}

}  // namespace

std::string WordsFor(const Fault& fault) {
  return fault.kind + " " + std::to_string(fault.number) +
         (fault.on ? " and all later ones fail" : " fails") + " with " +
         strerrorname_np(fault.error) +
         (fault.whose == Whose::kChild ? " in the child" : "");
}

Scene::Scene(std::string name,
             const fs::path& folder,
             const std::string& capture,
             std::vector<std::string> command)
    : name_(std::move(name)),
      folder_(folder),
      work_(folder / "work"),
      capture_(capture),
      command_(std::move(command)) {
  capture_files_ = CaptureFiles();
  if (fs::exists(work_)) {
    before_ = folder_ / "before";
    fs::rename(work_, before_);
  }
  PutBack();
  old_files_ = Look();
  const auto start = std::chrono::steady_clock::now();
  const Ended ended = Run({});
  if (ended.exit_code != 0) {
    throw std::runtime_error(name_ + " undisturbed: " + ended.err);
  }
  seconds_ =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  new_files_ = Look();
  for (const auto& entry : fs::directory_iterator(work_ / ".nerfpipe")) {
    Manifest record;
    if (!entry.is_regular_file() ||
        ReadManifest(entry.path(), &record) != ManifestState::kPresent) {
      continue;
    }
    for (const auto& [path, output] : record.outputs) {
      outputs_[record.stage].push_back(path);
    }
  }
  CountCalls(Whose::kProgram);
  CountCalls(Whose::kChild);
}

int64_t Scene::Count(const std::string& kind, Whose whose) const {
  const auto& counts = counts_.at(whose);
  const auto found = counts.find(kind);
  return found == counts.end() ? 0 : found->second;
}

void Scene::CountCalls(Whose whose) {
  PutBack();
  const TemporaryFolder notes(FastPlace());
  const fs::path log = notes / "calls";
  const Ended ended = Run({{"NERFPIPE_FILE_CALLS_LOG", log},
                           {"NERFPIPE_FILE_CALLS_IN", WordFor(whose)}});
  if (ended.exit_code != 0) {
    throw std::runtime_error(name_ + " watched: " + ended.err);
  }
  for (const FileCall& call : ReadFileCalls(log)) {
    ++counts_[whose][call.name];
    if (Changes(call.name)) ++counts_[whose]["change"];
    if (TakesRoom(call.name)) ++counts_[whose]["room"];
  }
  counts_[whose];
}

// The workspace as it was at the beginning.
void Scene::PutBack() const {
  fs::remove_all(work_);
  if (!before_.empty()) {
    fs::copy(before_,
             work_,
             fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  }
}

Scene::Files Scene::CaptureFiles() const {
  const fs::path capture = folder_ / capture_;
  if (fs::is_directory(capture)) return VisibleFiles(capture);
  return {{capture_, DigestOfFile(capture)}};
}

Scene::Files Scene::Look() const {
  if (!fs::exists(work_)) return {};
  Files files = VisibleFiles(work_);
  if (fs::exists(work_ / kFrameList)) {
    files[kFrameList] = DigestOfFile(work_ / kFrameList);
  }
  // They tell times, but how many lines they have does not change.
  for (const auto& entry : fs::recursive_directory_iterator(work_)) {
    const std::string name = entry.path().lexically_relative(work_).string();
    if (name.ends_with("metrics.jsonl") && !name.starts_with(".")) {
      const std::string text = ReadFile(entry.path());
      files[name] = std::to_string(std::count(text.begin(), text.end(), '\n'));
    }
  }
  return files;
}

Scene::Ended Scene::Run(const std::map<std::string, std::string>& environment,
                        double kill_after) const {
  ProgramCall call;
  call.cwd = folder_;
  call.arguments = command_;
  call.environment = environment;
  call.kill_after = kill_after > 0 ? kill_after : kLongest;
  if (!environment.empty()) {
    call.environment["LD_PRELOAD"] = NERFPIPE_MACHINE_CALLS_LIBRARY;
    call.environment["NERFPIPE_FILE_CALLS_UNDER"] = folder_;
    call.environment["ASAN_OPTIONS"] = "verify_asan_link_order=0";
  }
  const ProgramRun run = RunProgram(call);
  Ended ended;
  ended.exit_code = run.exit_code;
  ended.last_line = LastLine(run);
  ended.err = run.err;
  return ended;
}

Trial Scene::Fail(const Fault& fault) const {
  PutBack();
  const TemporaryFolder notes(FastPlace());
  const fs::path log = notes / "calls";
  Ended ended =
      Run({{"NERFPIPE_FILE_CALLS_LOG", log},
           {"NERFPIPE_FILE_CALLS_IN", WordFor(fault.whose)},
           {"NERFPIPE_FILE_CALLS_FAIL",
            fault.kind + ":" + std::to_string(fault.number) + ":" +
                std::to_string(fault.error) + (fault.on ? "+" : "")}});
  std::map<std::string, int64_t> seen;
  for (const FileCall& call : ReadFileCalls(log)) {
    const bool meant = call.name == fault.kind ||
                       (fault.kind == "room" && TakesRoom(call.name));
    if (!meant) continue;
    if (++seen[fault.kind] < fault.number || call.error != fault.error) {
      continue;
    }
    ended.reached = true;
    for (const std::string& path : {call.path, call.second}) {
      if (path.empty() || fault.kind == "allocate") continue;
      ended.names.push_back(NameOf(path));
      ended.names.push_back(NameOf(fs::path(path).parent_path()));
      // A folder is made for the sake of what it lies in.
      if (call.name == "mkdir") ended.names.push_back("work");
    }
  }
  return Judged(&fault, ended);
}

Trial Scene::KillAt(int64_t number, Whose whose) const {
  PutBack();
  return Judged(nullptr,
                Run({{"NERFPIPE_FILE_CALLS_KILL", std::to_string(number)},
                     {"NERFPIPE_FILE_CALLS_IN", WordFor(whose)}}));
}

Trial Scene::KillAfter(double seconds) const {
  PutBack();
  return Judged(nullptr, Run({}, seconds));
}

Trial Scene::Judged(const Fault* fault, const Ended& ended) const {
  Trial trial;
  trial.said = ended.last_line;
  trial.problem = ProblemOfState();
  const bool child_killed = ended.exit_code == 1 &&
                            Holds(ended.last_line, " was killed, most likely");
  if (fault == nullptr && (ended.exit_code == 128 + 9 || child_killed)) {
    trial.outcome = Outcome::kKilled;
  } else if (ended.exit_code == 0) {
    trial.outcome =
        fault != nullptr && !ended.reached ? Outcome::kMissed : Outcome::kSame;
    const std::string difference = FirstDifference(Look(), new_files_);
    if (trial.problem.empty() && !difference.empty()) {
      trial.problem = "it counts as done, but " + difference;
    }
  } else if (fault != nullptr) {
    trial.outcome = Outcome::kTold;
    if (trial.problem.empty()) trial.problem = ProblemOfWords(*fault, ended);
  } else {
    trial.problem = "exit code " + std::to_string(ended.exit_code);
  }
  if (fault != nullptr && fault->error == EINTR && ended.exit_code != 0 &&
      trial.problem.empty()) {
    trial.problem = "an interrupted call was not made again";
  }
  const std::string next = ProblemOfNextRun();
  if (trial.problem.empty()) trial.problem = next;
  return trial;
}

// Of what lies there after the run.
std::string Scene::ProblemOfState() const {
  if (CaptureFiles() != capture_files_) {
    return "the capture was changed";
  }
  const Files files = Look();
  for (const auto& [name, digest] : files) {
    const fs::path path = name;
    if (NameOf(path) != path.filename()) continue;  // a temporary one
    const auto old_one = old_files_.find(name);
    const auto new_one = new_files_.find(name);
    if ((old_one == old_files_.end() || old_one->second != digest) &&
        (new_one == new_files_.end() || new_one->second != digest)) {
      return name + " is neither the old nor the new one";
    }
  }
  for (const auto& [stage, paths] : outputs_) {
    const fs::path internal = work_ / ".nerfpipe";
    const bool moving = fs::exists(internal / "tmp" / stage / "manifest.json");
    Manifest record;
    const bool done = ReadManifest(internal / (stage + ".json"), &record) ==
                      ManifestState::kPresent;
    for (const std::string& path : paths) {
      const Files now = Below(files, path);
      const Files old_ones = Below(old_files_, path);
      const Files new_ones = Below(new_files_, path);
      const bool absent = now.empty() && (moving || !done);
      if (now != old_ones && now != new_ones && !absent) {
        return path + " is neither the old nor the new one";
      }
    }
  }
  std::set<std::string> digests;
  if (!kept_.empty()) {
    for (const auto& entry : fs::recursive_directory_iterator(work_)) {
      if (entry.is_regular_file()) digests.insert(DigestOfFile(entry.path()));
    }
  }
  for (const std::string& digest : kept_) {
    if (!digests.contains(digest)) return "a file of the user's is lost";
  }
  return "";
}

std::string Scene::ProblemOfWords(const Fault& fault,
                                  const Ended& ended) const {
  if (ended.exit_code != 1) {
    return "exit code " + std::to_string(ended.exit_code) + "\n" + ended.err;
  }
  const std::string& line = ended.last_line;
  if (!line.starts_with("nerfpipe: ")) {
    return "the last line is not ours\n" + ended.err;
  }
  for (const char* wrong : kWrongWords) {
    if (Holds(line, wrong))
      return "the last line has '" + std::string(wrong) + "' in it: " + line;
  }
  const std::vector<std::string> causes = CausesOf(fault.error);
  if (std::none_of(causes.begin(), causes.end(), [&](const auto& cause) {
        return Holds(line, cause);
      })) {
    return "the last line has not the cause: " + line;
  }
  if (!ended.names.empty() &&
      std::none_of(ended.names.begin(),
                   ended.names.end(),
                   [&](const auto& name) { return Holds(line, name); })) {
    return "the last line has not the file (" + ended.names[0] + "): " + line;
  }
  return "";
}

std::string Scene::ProblemOfNextRun() const {
  const Ended next = Run({});
  if (next.exit_code != 0) return "the next run fails: " + next.err;
  const std::string difference = FirstDifference(Look(), new_files_);
  if (!difference.empty()) return "after the next run " + difference;
  for (const auto& entry : fs::recursive_directory_iterator(work_)) {
    const std::string name = entry.path().filename().string();
    if (NameOf(entry.path()) != name || entry.path().extension() == ".new") {
      return "left over: " + entry.path().string();
    }
  }
  const fs::path unfinished = work_ / ".nerfpipe/tmp";
  if (fs::exists(unfinished) && !fs::is_empty(unfinished)) {
    return "unfinished work is left over";
  }
  return ProblemOfState();
}

}  // namespace nerfpipe
