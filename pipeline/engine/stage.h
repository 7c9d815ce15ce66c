#pragma once

// What the engine knows of a stage: its name, what it reads and writes, its
// options, and how to run it.

#include "pipeline/base/report.h"
#include "pipeline/engine/options.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace nerfpipe {

// Name of the capture among a stage's inputs (a file or folder outside the
// workspace).
inline constexpr char kCaptureInput[] = "@capture";

// Everything a running stage may touch. Paths are absolute.
struct StageContext {
  // The workspace, for reading committed inputs. Never written to by a stage.
  std::filesystem::path workspace;
  // The video file or photo folder.
  std::filesystem::path capture;
  // Empty folder at the start. The stage writes each of its outputs here,
  // under the name it has in the workspace; the engine moves them into place.
  std::filesystem::path out;
  // Unfinished work. Kept after a kill or failure and handed back to the next
  // run as long as the stage's fingerprint is the same.
  std::filesystem::path scratch;
  int threads = 1;  // >= 1
  // Bytes that the stage may take, which depends on what is free: for what
  // changes no result, such as the number of threads. 0: not said.
  int64_t memory = 0;
  // Bytes that results may count on: as --mem says, or most of what the machine
  // has. A stage that makes less of them for it says so (StageResult::reduced).
  // 0: not said.
  int64_t memory_limit = 0;
  std::string device = "auto";  // "auto", "cpu", "cuda", "cuda:1"
  Report* report = nullptr;     // never null

  // Threads that fit into the memory when each takes so many bytes; >= 1.
  int ThreadsFor(double bytes_each) const;
};

struct StageResult {
  enum class State { kDone, kFailed };

  State state = State::kDone;
  // One line: what was made ("71 of 71 images, 0.85 px"), or what went wrong,
  // where, and what to try.
  std::string line;
  // What is less than the options ask for, for want of memory, and the
  // memory_limit under which it would not be; empty: nothing.
  std::string reduced;
  int64_t memory_wanted = 0;
  // The full account of a failure, a line each.
  std::vector<std::string> account;
  // Figures for summary.json, merged into it at the top level: for example
  // {"frames": {"registered": 71}}.
  nlohmann::ordered_json facts = nlohmann::ordered_json::object();

  static StageResult Done(std::string line) {
    StageResult result;
    result.line = std::move(line);
    return result;
  }
  static StageResult Failed(std::string line,
                            std::vector<std::string> account = {}) {
    StageResult result = Done(std::move(line));
    result.state = State::kFailed;
    result.account = std::move(account);
    return result;
  }
};

// Stages hold their options as a plain struct; Options() hands out groups
// bound to it. A stage object lives as long as the program.
class Stage {
 public:
  virtual ~Stage() = default;

  virtual std::string Name() const = 0;
  // Raised whenever the same inputs and options would give other outputs.
  virtual int Version() const = 0;
  // One line for --help and status.
  virtual std::string Description() const = 0;
  // Paths relative to the workspace (files or folders), or kCaptureInput. May
  // depend on the options.
  virtual std::vector<std::string> Inputs() const = 0;
  virtual std::vector<std::string> Outputs() const = 0;
  virtual std::vector<OptionGroup> Options() = 0;
  // Throws UserError for values that no run could use and that their fields
  // alone do not give away. Asked before any stage runs.
  virtual void CheckValues() const {}
  // Groups of other names that do not matter under the present options (the
  // hyper-parameters of a method that was not chosen) are left out of the
  // fingerprint.
  virtual bool Matters(const OptionGroup&) const { return true; }
  // Groups of other stages of which some fields count here as well. They belong
  // to the fingerprint; the configuration has them from their own stages.
  virtual std::vector<OptionGroup> SharedOptions() { return {}; }
  // False: `run` leaves it out.
  virtual bool Enabled() const { return true; }
  // What fails in it does not fail a run: there is a result without it.
  virtual bool Optional() const { return false; }
  // Those of Inputs() that it can do without, since optional stages make them.
  virtual std::vector<std::string> OptionalInputs() const { return {}; }
  // Asked before Inputs() and Outputs(), for what follows from files that
  // stages before it made.
  virtual void LookAt(const std::filesystem::path& /*workspace*/) {}
  // True for stages built on libraries that abort or eat the memory: they run
  // in a child process of the same binary.
  virtual bool Isolated() const { return false; }
  // Throws UserError for bad input and Interrupted at a safe point after
  // Ctrl-C.
  virtual StageResult Run(const StageContext& context) = 0;
};

}  // namespace nerfpipe
