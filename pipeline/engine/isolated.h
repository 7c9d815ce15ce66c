#pragma once

// A stage in a child process of the same binary: a library that aborts or eats
// the memory takes only its stage with it.

#include "pipeline/base/report.h"
#include "pipeline/engine/stage.h"
#include "pipeline/engine/workspace.h"

#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace nerfpipe {

struct Machine {
  int threads = 0;           // 0: one per core
  std::string memory = "0";  // as ParseBytes reads it; 0: most of what is free
  std::string device = "auto";
};

// The libraries alone take 200 MB.
inline constexpr int64_t kLeastMemory = 500'000'000;

// The child's exit code when the system refused it memory.
inline constexpr int kNoMemory = 78;

// Bytes that a stage may take: what was set, or 60 % of what is free.
int64_t MemoryOf(const Machine& machine);

// Bytes that its result may count on: what was set, or 60 % of what the machine
// has, so that the same result comes out whatever else runs.
int64_t MemoryLimitOf(const Machine& machine);

// How an isolated stage is run: arguments of this program's own hidden
// command, which may take so many bytes.
using IsolatedCommand = std::function<std::vector<std::string>(
    const std::string& stage, int64_t memory)>;

// `memory` is what the stage may take.
StageContext MakeStageContext(const Workspace& workspace,
                              const Stage& stage,
                              const Machine& machine,
                              int64_t memory,
                              Report& report);

// Parent's side: runs `command` and reads the result it leaves. A child that
// dies for want of memory is run once more with half as much. Its death becomes
// a failed result that says why and what to lower. Throws what the stage threw.
StageResult RunIsolated(const Workspace& workspace,
                        const Stage& stage,
                        const IsolatedCommand& command,
                        int64_t memory,
                        Report& report,
                        double* peak_memory_mb);

// Child's side: runs the stage and leaves its result where the parent looks
// for it. What libraries print goes to the stage's log file. `parent` is the
// process that started this one: without it nothing is done. Returns the exit
// code of the child.
int RunAsChild(int parent,
               const Workspace& workspace,
               Stage& stage,
               const Machine& machine,
               int64_t memory,
               Report& report);

// Child's side, in the handler of an error before the stage runs: leaves it
// where the parent looks for it. Returns the exit code of the child; throws
// again what can only be a bug.
int HandOverError(const std::filesystem::path& root,
                  const std::string& stage,
                  const std::exception& error);

}  // namespace nerfpipe
