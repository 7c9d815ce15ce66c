#pragma once

// What has to be done anew, and what must be left, foretold without the
// engine's code: from the promises of docs/ARCHITECTURE.md ("The engine's
// rules") alone.

#include "tests/pipeline/engine/toy_pipeline.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace nerfpipe {

// A run that somebody asks for.
struct WalkRun {
  enum class Kind { kUntil, kAgain } kind{};
  std::string stage;  // of kUntil: empty for all
  Disturbance disturbance;
};

// What is seen of a run.
struct WalkOutcome {
  enum class End { kDone, kFailed, kUserError, kInterrupted } end{};
  // Of kFailed the stage; of kUserError words that must be in the message.
  std::string about;
  // The stages' own notes.
  std::vector<std::string> notes;

  bool operator==(const WalkOutcome&) const = default;
};

struct WalkStatus {
  std::string state;  // "done", "stale", "waiting"
  std::set<std::string> reasons;
  std::string summary;  // the state in summary.json

  bool operator==(const WalkStatus&) const = default;
};

// For the account of a walk that failed.
std::string Shown(const WalkRun& run);
std::string Shown(const WalkOutcome& outcome);
std::string Shown(const std::map<std::string, WalkStatus>& statuses);

// One state that the workspace may be in. After a kill there may be several.
struct WalkModel {
  ToyOptions options;
  FileTree capture;
  FileTree disk;  // everything outside .nerfpipe but summary.json
  // What must be found under .nerfpipe/saved: output, and what was in it.
  std::multiset<std::pair<std::string, FileTree>> saved;

  std::map<std::string, WalkStatus> Status() const;
  // Foretells the run, and goes on to the state after it.
  WalkOutcome Run(const WalkRun& run);
  // The states that a run may leave that was killed after these notes; none
  // when it could not have made them.
  std::vector<WalkModel> AfterKill(const WalkRun& run,
                                   const std::vector<std::string>& notes) const;

  // The user's doings that are about records.
  bool HasRecord(const std::string& stage) const;
  void DamageRecord(const std::string& stage);

  // The outputs that a fresh workspace would have.
  FileTree Fresh() const;

  bool operator==(const WalkModel&) const = default;

 private:
  struct Key {
    std::map<std::string, std::string> options;
    std::map<std::string, FileTree> inputs;
    bool operator==(const Key&) const = default;
  };
  struct Record {
    Key key;
    std::map<std::string, FileTree> outputs;
    bool operator==(const Record&) const = default;
  };
  struct Unfinished {
    Key key;
    int parts = 0;  // made so far, from the first on
    bool operator==(const Unfinished&) const = default;
  };
  struct State {
    std::optional<Record> record;
    bool damaged = false;
    std::optional<Unfinished> unfinished;
    std::string failure;
    bool operator==(const State&) const = default;
  };

  std::optional<FileTree> TreeAt(const std::string& path) const;
  Key KeyOf(const std::string& stage) const;
  std::set<std::string> Reasons(const std::string& stage) const;
  // A path that is in the way, or empty.
  std::string Foreign(const std::string& stage) const;
  void Begin(const std::string& stage);
  // Nothing when the stage came to its end.
  std::optional<WalkOutcome> Work(const std::string& stage,
                                  const Disturbance& disturbance,
                                  std::vector<std::string>* notes);
  void Commit(const std::string& stage);
  std::vector<WalkModel> BeforeBegin(const std::string& stage) const;

  std::map<std::string, State> states_;
};

}  // namespace nerfpipe
