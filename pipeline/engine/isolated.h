#pragma once

// A stage in a child process of the same binary: a library that aborts or eats
// the memory takes only its stage with it.

#include "pipeline/base/report.h"
#include "pipeline/engine/stage.h"
#include "pipeline/engine/workspace.h"

#include <string>
#include <vector>

namespace nerfpipe {

struct Machine {
  int threads = 0;  // 0: one per core
  std::string device = "auto";
};

StageContext MakeStageContext(const Workspace& workspace,
                              const Stage& stage,
                              const Machine& machine,
                              Report& report);

// Parent's side: runs `command` and reads the result it leaves. The death of
// the child becomes a failed result that says why and what to lower. Throws
// what the stage threw.
StageResult RunIsolated(const Workspace& workspace,
                        const Stage& stage,
                        const std::vector<std::string>& command,
                        double* peak_memory_mb);

// Child's side: runs the stage and leaves its result where the parent looks
// for it. What libraries print goes to the stage's log file. `parent` is the
// process that started this one: without it nothing is done. Returns the exit
// code of the child.
int RunAsChild(int parent,
               const Workspace& workspace,
               Stage& stage,
               const Machine& machine,
               Report& report);

}  // namespace nerfpipe
