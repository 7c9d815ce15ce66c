#include "pipeline/engine/workspace.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/json_text.h"
#include "pipeline/base/system_call.h"

#include <cerrno>
#include <chrono>
#include <thread>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <unistd.h>

namespace nerfpipe {

namespace fs = std::filesystem;

namespace {

constexpr int kFormat = 1;

fs::path IdentityPath(const fs::path& root) {
  return root / ".nerfpipe" / "workspace.json";
}

void WriteIdentity(const fs::path& root, const fs::path& capture) {
  std::error_code error;
  fs::create_directories(root / ".nerfpipe" / "logs", error);
  const std::string what = "cannot make the workspace " + root.string();
  if (IsOfTheFile(error.value())) {
    throw UserError(what + " (" + error.message() + ")",
                    "choose another folder with -w");
  }
  if (error) ThrowSystemError(what, error.value());
  const nlohmann::ordered_json json = {
      {"format", kFormat}, {"capture", ToJsonText(capture.string())}};
  WriteFileAtomically(IdentityPath(root), json.dump(1) + "\n");
}

fs::path ReadCapture(const fs::path& root) {
  const fs::path path = IdentityPath(root);
  try {
    const auto json = nlohmann::json::parse(ReadFile(path));
    if (json.at("format") != kFormat) {
      throw UserError(root.string() + " was made by a newer nerfpipe",
                      "use that version, or choose another workspace with -w");
    }
    return FromJsonText(json.at("capture").get<std::string>());
  } catch (const nlohmann::json::exception&) {
    throw UserError(path.string() + " is damaged",
                    "delete that one file and give the capture again: "
                    "nerfpipe run CAPTURE -w " +
                        root.string());
  }
}

// However the path is written: from the root, without a slash at the end.
fs::path PlainPath(const fs::path& path) {
  const fs::path normal = fs::absolute(path).lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

bool IsEmpty(const fs::path& folder) {
  return fs::is_directory(folder) && fs::is_empty(folder);
}

}  // namespace

Workspace::Workspace(fs::path root, fs::path capture)
    : root_(std::move(root)), capture_(std::move(capture)) {}

bool Workspace::Exists(const fs::path& root) {
  return fs::exists(IdentityPath(root));
}

Workspace Workspace::Open(const fs::path& root) {
  if (!Exists(root)) {
    throw UserError(root.string() + " is not a nerfpipe workspace",
                    "make one with 'nerfpipe run CAPTURE', or name another "
                    "folder with -w",
                    ExitCode::kUsage);
  }
  return {fs::absolute(root).lexically_normal(), ReadCapture(root)};
}

Workspace Workspace::OpenOrCreate(const fs::path& root,
                                  const fs::path& capture) {
  const fs::path absolute = PlainPath(capture);
  if (!Exists(root)) {
    // A kill between making the folder and its identity leaves .nerfpipe.
    if (fs::exists(root) && !IsEmpty(root) &&
        !fs::is_directory(root / ".nerfpipe")) {
      throw UserError(
          root.string() + " exists and is not a nerfpipe workspace",
          "choose another folder with -w; nothing in it was touched",
          ExitCode::kUsage);
    }
    WriteIdentity(root, absolute);
    return Open(root);
  }
  const Workspace workspace = Open(root);
  if (PlainPath(workspace.capture()) == absolute) {
    return workspace;
  }
  if (fs::exists(workspace.capture())) {
    throw UserError("workspace " + root.string() + " belongs to " +
                        workspace.capture().string(),
                    "choose another folder with -w",
                    ExitCode::kUsage);
  }
  WriteIdentity(root, absolute);  // the capture has moved
  return Open(root);
}

fs::path Workspace::ConfigPath() const { return root_ / "nerfpipe.yaml"; }

fs::path Workspace::SummaryPath() const { return root_ / "summary.json"; }

fs::path Workspace::Internal() const { return root_ / ".nerfpipe"; }

fs::path Workspace::LogPath(const std::string& name) const {
  return Internal() / "logs" / (name + ".log");
}

fs::path Workspace::ManifestPath(const std::string& stage) const {
  return Internal() / (stage + ".json");
}

fs::path Workspace::UnfinishedPath(const std::string& stage) const {
  return Internal() / "tmp" / stage;
}

WorkspaceLock::WorkspaceLock(const fs::path& root,
                             std::chrono::milliseconds patience) {
  const fs::path path = root / ".nerfpipe" / "lock";
  descriptor_ =
      Uninterrupted([&] { return open(path.c_str(), O_RDWR | O_CREAT, 0666); });
  if (descriptor_ < 0) {
    ThrowWriteError(path, errno);
  }
  const auto end = std::chrono::steady_clock::now() + patience;
  while (Uninterrupted([&] { return flock(descriptor_, LOCK_EX | LOCK_NB); }) !=
         0) {
    if (errno != EWOULDBLOCK) {
      const int error = errno;
      close(descriptor_);
      ThrowSystemError("cannot lock " + path.string(), error);
    }
    if (std::chrono::steady_clock::now() >= end) {
      const std::string holder = ReadFile(path);
      close(descriptor_);
      throw UserError(
          "workspace " + fs::absolute(root).lexically_normal().string() +
              " is in use by " +
              (holder.empty() ? "another process" : "process " + holder),
          "wait until it has ended, or choose another workspace "
          "with -w");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const std::string id = std::to_string(getpid());
  if (ftruncate(descriptor_, 0) != 0 ||
      pwrite(descriptor_, id.data(), id.size(), 0) < 0) {
    // The lock holds all the same; only the message of others is poorer.
    errno = 0;
  }
}

WorkspaceLock::~WorkspaceLock() { close(descriptor_); }

}  // namespace nerfpipe
