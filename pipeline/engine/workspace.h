#pragma once

// The folder that everything about one capture lives in, and the lock of the
// process that works in it.

#include <chrono>
#include <filesystem>
#include <string>

namespace nerfpipe {

class Workspace {
 public:
  // Is there a workspace in this folder?
  static bool Exists(const std::filesystem::path& root);

  // Opens an existing one. Throws UserError when `root` is none.
  static Workspace Open(const std::filesystem::path& root);

  // Opens the workspace in `root` for this capture, making it if needed.
  // Refuses a folder that is not empty and not a workspace, and a workspace
  // that belongs to another capture.
  static Workspace OpenOrCreate(const std::filesystem::path& root,
                                const std::filesystem::path& capture);

  const std::filesystem::path& root() const { return root_; }
  // Absolute path of the video file or photo folder.
  const std::filesystem::path& capture() const { return capture_; }

  std::filesystem::path ConfigPath() const;  // nerfpipe.yaml
  std::filesystem::path SummaryPath() const;
  std::filesystem::path Internal() const;  // .nerfpipe
  std::filesystem::path LogPath(const std::string& name) const;
  std::filesystem::path ManifestPath(const std::string& stage) const;
  // Folder of a stage's unfinished work.
  std::filesystem::path UnfinishedPath(const std::string& stage) const;

 private:
  Workspace(std::filesystem::path root, std::filesystem::path capture);

  std::filesystem::path root_;
  std::filesystem::path capture_;
};

// Held while a process works in a workspace, or in another folder of results
// with a folder .nerfpipe; gone with the process however it ends. Child
// processes inherit it.
class WorkspaceLock {
 public:
  // Throws UserError naming the process that holds the lock. A holder that is
  // being killed gets five seconds to go.
  explicit WorkspaceLock(
      const std::filesystem::path& root,
      std::chrono::milliseconds patience = std::chrono::seconds(5));
  ~WorkspaceLock();
  WorkspaceLock(const WorkspaceLock&) = delete;
  WorkspaceLock& operator=(const WorkspaceLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace nerfpipe
