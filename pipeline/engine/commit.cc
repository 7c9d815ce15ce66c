#include "pipeline/engine/commit.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/folders.h"
#include "pipeline/engine/tree_digest.h"

namespace nerfpipe {

namespace fs = std::filesystem;

namespace {

// The path with everything in it is as the stage left it.
bool IsUntouched(const fs::path& root,
                 const std::string& path,
                 const Manifest& made_by) {
  const auto output = made_by.outputs.find(path);
  if (output == made_by.outputs.end()) {
    return false;
  }
  DigestCache cache({});
  const std::optional<TreeDigest> now = cache.Digest(root / path);
  return now && now->digest == output->second.digest;
}

// Makes the names in `folder` and in all folders above it, up to `root`, last
// through a power cut.
void SyncUpTo(fs::path folder, const fs::path& root) {
  while (folder != root && folder != folder.parent_path()) {
    SyncFolder(folder);
    folder = folder.parent_path();
  }
  SyncFolder(root);
}

// Moves what a commit is about to replace out of the way: what the stage made
// itself into tmp (deleted at the end), anything else where the user finds it.
void Retire(const Workspace& workspace,
            const std::string& stage,
            const std::string& path,
            Report& report) {
  const fs::path target = workspace.root() / path;
  if (!fs::exists(fs::symlink_status(target))) {
    return;
  }
  Manifest old;
  const bool known = ReadManifest(workspace.ManifestPath(stage), &old) ==
                         ManifestState::kPresent &&
                     IsUntouched(workspace.root(), path, old);
  fs::path aside;
  if (known) {
    aside = workspace.UnfinishedPath(stage) / "old" / path;
    RemoveAll(aside);
  } else {
    int number = 1;
    do {
      aside = workspace.Internal() / "saved" / std::to_string(number++) / path;
    } while (fs::exists(aside));
    report.Warn(path + " was changed since " + stage +
                " wrote it; the changed one is kept as " +
                aside.lexically_relative(workspace.root()).string());
  }
  fs::create_directories(aside.parent_path());
  fs::rename(target, aside);
  if (!known) {
    SyncUpTo(aside.parent_path(), workspace.root());
  }
}

}  // namespace

void DiscardUnfinished(const Workspace& workspace, const std::string& stage) {
  // First what makes it count: parts that are only half there must not.
  fs::remove(workspace.UnfinishedPath(stage) / "key");
  RemoveAll(workspace.UnfinishedPath(stage));
}

void PrepareUnfinished(const Workspace& workspace,
                       const std::string& stage,
                       const std::string& fingerprint) {
  const fs::path folder = workspace.UnfinishedPath(stage);
  const fs::path key = folder / "key";
  if (!fs::exists(key) || ReadFile(key) != fingerprint) {
    DiscardUnfinished(workspace, stage);
    fs::create_directories(folder / "work");
    WriteFileAtomically(key, fingerprint);
  }
  RemoveAll(folder / "out");
  fs::remove(folder / "failure");
  fs::create_directories(folder / "out");
  fs::create_directories(folder / "work");
}

bool HasUnfinished(const Workspace& workspace, const std::string& stage) {
  return fs::exists(workspace.UnfinishedPath(stage) / "key");
}

void NoteFailure(const Workspace& workspace,
                 const std::string& stage,
                 const std::string& line) {
  WriteFileAtomically(workspace.UnfinishedPath(stage) / "failure", line);
}

std::string LastFailure(const Workspace& workspace, const std::string& stage) {
  const fs::path path = workspace.UnfinishedPath(stage) / "failure";
  return fs::exists(path) ? ReadFile(path) : "";
}

void RefuseForeignOutputs(const Workspace& workspace,
                          const std::string& stage,
                          const std::vector<std::string>& outputs) {
  Manifest old;
  const ManifestState state = ReadManifest(workspace.ManifestPath(stage), &old);
  if (state == ManifestState::kDamaged) {
    return;  // we made something here once: Retire keeps it
  }
  for (const std::string& path : outputs) {
    if (fs::exists(workspace.root() / path) && old.outputs.count(path) == 0) {
      throw UserError((workspace.root() / path).string() +
                          " exists and was not made by nerfpipe",
                      "move it away, or choose another workspace with -w");
    }
  }
}

void Commit(const Workspace& workspace,
            const Manifest& manifest,
            Report& report) {
  Manifest pending = manifest;
  // Outputs of other options (the folder of another method) stay, and stay
  // ours.
  Manifest old;
  if (ReadManifest(workspace.ManifestPath(manifest.stage), &old) ==
      ManifestState::kPresent) {
    for (const auto& [path, output] : old.outputs) {
      if (fs::exists(workspace.root() / path)) {
        pending.outputs.emplace(path, output);
      }
    }
  }
  const fs::path folder = workspace.UnfinishedPath(manifest.stage);
  // The journal says that the outputs are complete: after a power cut too.
  SyncFileSystem(folder / "out");
  WriteFileAtomically(folder / "manifest.json", ManifestToJson(pending));
  FinishCommit(workspace, manifest.stage, report);
}

void FinishCommit(const Workspace& workspace,
                  const std::string& stage,
                  Report& report) {
  const fs::path folder = workspace.UnfinishedPath(stage);
  const fs::path pending_path = folder / "manifest.json";
  if (!fs::exists(pending_path)) {
    // Stopped between moving the record and the end of clearing up. Without a
    // key nothing in the folder can be gone on from.
    const bool of_use =
        fs::exists(folder / "key") || fs::exists(folder / "failure");
    if (fs::exists(folder / "old") || (fs::exists(folder) && !of_use)) {
      DiscardUnfinished(workspace, stage);
    }
    return;
  }
  Manifest pending;
  if (ReadManifest(pending_path, &pending) != ManifestState::kPresent) {
    fs::remove(pending_path);  // not ours to trust: the stage runs again
    return;
  }
  for (const auto& [path, output] : pending.outputs) {
    const fs::path staged = folder / "out" / path;
    if (!fs::exists(staged)) {
      continue;  // moved before the kill, or an output of other options
    }
    Retire(workspace, stage, path, report);
    fs::create_directories((workspace.root() / path).parent_path());
    fs::rename(staged, workspace.root() / path);
  }
  // The record must not reach the disk before what it tells of, nor the end of
  // the journal before the record.
  for (const auto& [path, output] : pending.outputs) {
    SyncUpTo((workspace.root() / path).parent_path(), workspace.root());
  }
  fs::create_directories(folder / "old");
  fs::rename(pending_path, workspace.ManifestPath(stage));
  SyncFolder(workspace.Internal());
  DiscardUnfinished(workspace, stage);
}

}  // namespace nerfpipe
