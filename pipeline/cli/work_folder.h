#pragma once

// What train, render and eval share: a folder of results, which may be a
// workspace of `run` or one that `train` made.

#include "pipeline/cli/session.h"
#include "stages/nerf/stage/trainer_library.h"

#include <memory>
#include <optional>
#include <string>

namespace nerfpipe {

class OpenWorkFolder {
 public:
  // Resolves the session's configuration for `folder`, locks it when results
  // are there, and starts the log of a workspace.
  OpenWorkFolder(Session& session, const std::filesystem::path& folder);

  // For a folder that may be new: makes it and locks it.
  void Make();

  const WorkFolder& work() const { return work_; }

 private:
  std::optional<Workspace> workspace_;
  std::unique_ptr<WorkspaceLock> lock_;
  WorkFolder work_;
};

// One per core where it is left open.
int ThreadsOf(const Machine& machine);

// The folder that -w names. Throws UserError when there is none.
std::filesystem::path WorkFolderOf(const CommonFlags& common,
                                   const std::string& command);

}  // namespace nerfpipe
