#include "pipeline/cli/work_folder.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"

#include <algorithm>
#include <thread>

namespace nerfpipe {

OpenWorkFolder::OpenWorkFolder(Session& session,
                               const std::filesystem::path& folder) {
  if (Workspace::Exists(folder)) {
    workspace_ = Workspace::Open(folder);
    lock_ = std::make_unique<WorkspaceLock>(folder);
    session.console().LogTo(workspace_->LogPath("nerfpipe"));
  } else if (std::filesystem::is_directory(folder / ".nerfpipe")) {
    lock_ = std::make_unique<WorkspaceLock>(folder);
    RemoveLeftovers(folder);
  }
  session.Resolve(workspace_);
  work_.folder = folder;
  work_.threads = ThreadsOf(session.machine());
  work_.memory = MemoryOf(session.machine());
  work_.device = session.machine().device;
  work_.report = &session.console();
}

void OpenWorkFolder::Make() {
  if (lock_) return;
  std::filesystem::create_directories(work_.folder / ".nerfpipe");
  lock_ = std::make_unique<WorkspaceLock>(work_.folder);
}

int ThreadsOf(const Machine& machine) {
  return machine.threads > 0
             ? machine.threads
             : std::max(1,
                        static_cast<int>(std::thread::hardware_concurrency()));
}

std::filesystem::path WorkFolderOf(const CommonFlags& common,
                                   const std::string& command) {
  if (common.workspace.empty()) {
    throw UserError("'" + command + "' needs the folder of a trained scene",
                    "name it: nerfpipe " + command + " -w DIR",
                    ExitCode::kUsage);
  }
  if (!std::filesystem::is_directory(common.workspace)) {
    throw UserError("there is no folder '" + common.workspace + "'",
                    "give the workspace of 'nerfpipe run', or the -w of "
                    "'nerfpipe train'",
                    ExitCode::kUsage);
  }
  return common.workspace;
}

}  // namespace nerfpipe
