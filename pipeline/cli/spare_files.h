#pragma once

// What of a workspace can be made again, or be done without: for
// `nerfpipe clean`.

#include "pipeline/engine/runner.h"
#include "pipeline/engine/stage.h"
#include "pipeline/engine/workspace.h"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace nerfpipe {

struct SpareFiles {
  enum class Kind {
    kUnfinished,  // work that a run did not finish
    kUnused,      // made by options that hold no longer
    kScored,      // the pictures of `eval`
    kQuick,       // folders that the next run makes again in seconds
    kSaved,  // what was replaced, but is the user's: nothing makes it again
  };
  Kind kind = Kind::kUnfinished;
  std::string path;   // in the workspace
  std::string stage;  // that made it; empty: a command did
  int64_t bytes = 0;  // > 0

  bool operator==(const SpareFiles&) const = default;
};

// What the engine does not know of the stages.
struct SpareRules {
  // Their folders are made again in seconds.
  std::set<std::string> quick_stages;
  // Outputs that finished results go on to need, although no stage says so.
  std::set<std::string> needed;
};

// By kind and path. `statuses` are those of the stages, in the same order.
// Freeing any of it, but for kQuick, leaves every stage as up to date as it is.
// Writes nothing.
std::vector<SpareFiles> FindSpareFiles(const Workspace& workspace,
                                       const std::vector<Stage*>& stages,
                                       const std::vector<StageStatus>& statuses,
                                       const SpareRules& rules);

// Needs the workspace's lock. A kill in between leaves nothing that a run would
// take for its own.
void RemoveSpareFiles(const Workspace& workspace, const SpareFiles& files);

}  // namespace nerfpipe
