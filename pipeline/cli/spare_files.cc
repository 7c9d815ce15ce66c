#include "pipeline/cli/spare_files.h"

#include "pipeline/engine/manifest.h"
#include "pipeline/engine/tree_digest.h"

#include <algorithm>
#include <map>
#include <optional>
#include <system_error>
#include <tuple>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using Kind = SpareFiles::Kind;
using State = StageStatus::State;

// Of the engine's files in tmp/STAGE: a stage that failed still says why.
constexpr char kFailureFile[] = "failure";
// Makes the work beside it count.
constexpr char kKeyFile[] = "key";
// There as long as finished outputs are being moved into place.
constexpr char kCommitFile[] = "manifest.json";

bool IsFolder(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() == fs::file_type::directory;
}

// The entries of a folder, by name; of one that is not there or goes away
// meanwhile, none.
std::vector<fs::path> EntriesOf(const fs::path& folder) {
  std::vector<fs::path> entries;
  if (!IsFolder(folder)) return entries;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    entries.push_back(entry->path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

// What links point to is somewhere else, and stays there.
int64_t BytesOf(const fs::path& path) {
  std::error_code error;
  if (IsFolder(path)) {
    int64_t bytes = 0;
    for (const fs::path& entry : EntriesOf(path)) bytes += BytesOf(entry);
    return bytes;
  }
  if (!fs::is_regular_file(fs::symlink_status(path, error))) return 0;
  const uintmax_t size = fs::file_size(path, error);
  return error ? 0 : static_cast<int64_t>(size);
}

int64_t BytesOf(const std::vector<fs::path>& paths) {
  int64_t bytes = 0;
  for (const fs::path& path : paths) bytes += BytesOf(path);
  return bytes;
}

// What of a folder with unfinished work can go.
std::vector<fs::path> UnfinishedIn(const fs::path& folder) {
  std::vector<fs::path> entries = EntriesOf(folder);
  std::erase_if(entries, [](const fs::path& entry) {
    return entry.filename() == kFailureFile;
  });
  return entries;
}

// The pictures in eval/METHOD that `eval` wrote: of the views that training
// scored too. What else lies there is not ours.
std::vector<fs::path> ScoredPictures(const Workspace& workspace,
                                     const fs::path& method) {
  std::vector<fs::path> entries = EntriesOf(workspace.root() / "eval" / method);
  const fs::path scored = workspace.root() / "train" / method / "test";
  std::erase_if(entries, [&](const fs::path& entry) {
    return !fs::is_regular_file(scored / entry.filename());
  });
  return entries;
}

// In these folders is what all the work was for.
bool IsResult(const std::string& output) {
  const std::string folder = output.substr(0, output.find('/'));
  return folder == "train" || folder == "exports" || folder == "renders";
}

bool Contains(const std::vector<std::string>& list, const std::string& one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

class Search {
 public:
  Search(const Workspace& workspace, const SpareRules& rules)
      : workspace_(workspace), rules_(rules) {}

  // Of stages (tmp/STAGE) and of commands (.nerfpipe/train-ngp).
  void FindUnfinished(const std::set<std::string>& stages) {
    for (const fs::path& folder : EntriesOf(workspace_.Internal() / "tmp")) {
      const std::string name = folder.filename().string();
      if (!fs::exists(folder / kCommitFile)) {
        Add(Kind::kUnfinished,
            ".nerfpipe/tmp/" + name,
            stages.contains(name) ? name : "",
            BytesOf(UnfinishedIn(folder)));
      }
    }
    for (const fs::path& folder : EntriesOf(workspace_.Internal())) {
      if (IsFolder(folder) && fs::exists(folder / kKeyFile)) {
        Add(Kind::kUnfinished,
            ".nerfpipe/" + folder.filename().string(),
            "",
            BytesOf(UnfinishedIn(folder)));
      }
    }
  }

  void FindScored() {
    for (const fs::path& folder : EntriesOf(workspace_.root() / "eval")) {
      const fs::path method = folder.filename();
      Add(Kind::kScored,
          "eval/" + method.string(),
          "",
          BytesOf(ScoredPictures(workspace_, method)));
    }
  }

  // `read` by stages, now or when they were last run.
  void FindUnused(const Stage& stage,
                  const Manifest& record,
                  const std::set<std::string>& read) {
    const std::vector<std::string> current = stage.Outputs();
    DigestCache digests({});
    for (const auto& [path, output] : record.outputs) {
      const fs::path place = workspace_.root() / path;
      if (Contains(current, path) || IsResult(path) || read.contains(path) ||
          rules_.needed.contains(path) || !IsFolder(place)) {
        continue;
      }
      // What somebody altered is theirs now.
      const std::optional<TreeDigest> now = digests.Digest(place);
      if (now && now->digest == output.digest) {
        Add(Kind::kUnused, path, stage.Name(), BytesOf(place));
      }
    }
  }

  // `waited_for` by stages that have yet to run.
  void FindQuick(const Stage& stage, const std::set<std::string>& waited_for) {
    for (const std::string& path : stage.Outputs()) {
      const fs::path place = workspace_.root() / path;
      if (!waited_for.contains(path) && !rules_.needed.contains(path) &&
          IsFolder(place)) {
        Add(Kind::kQuick, path, stage.Name(), BytesOf(place));
      }
    }
  }

  void FindSaved() {
    Add(Kind::kSaved,
        ".nerfpipe/saved",
        "",
        BytesOf(workspace_.Internal() / "saved"));
  }

  std::vector<SpareFiles> Found() {
    std::sort(found_.begin(), found_.end(), [](const auto& a, const auto& b) {
      return std::tie(a.kind, a.path) < std::tie(b.kind, b.path);
    });
    return std::move(found_);
  }

 private:
  void Add(Kind kind,
           const std::string& path,
           const std::string& stage,
           int64_t bytes) {
    if (bytes > 0) found_.push_back({kind, path, stage, bytes});
  }

  const Workspace& workspace_;
  const SpareRules& rules_;
  std::vector<SpareFiles> found_;
};

void RemoveIfEmpty(const fs::path& folder) {
  if (IsFolder(folder) && fs::is_empty(folder)) fs::remove(folder);
}

}  // namespace

std::vector<SpareFiles> FindSpareFiles(const Workspace& workspace,
                                       const std::vector<Stage*>& stages,
                                       const std::vector<StageStatus>& statuses,
                                       const SpareRules& rules) {
  std::set<std::string> names;
  std::set<std::string> read;
  std::set<std::string> waited_for;
  std::map<std::string, Manifest> records;
  for (size_t i = 0; i < stages.size(); ++i) {
    const std::string name = stages[i]->Name();
    names.insert(name);
    Manifest record;
    if (ReadManifest(workspace.ManifestPath(name), &record) ==
        ManifestState::kPresent) {
      for (const auto& [input, digest] : record.inputs) read.insert(input);
      records[name] = std::move(record);
    }
    const bool runs = statuses[i].state == State::kStale ||
                      statuses[i].state == State::kWaiting;
    for (const std::string& input : stages[i]->Inputs()) {
      read.insert(input);
      if (runs) waited_for.insert(input);
    }
  }

  Search search(workspace, rules);
  search.FindUnfinished(names);
  search.FindScored();
  search.FindSaved();
  for (size_t i = 0; i < stages.size(); ++i) {
    // Of others the outputs follow options that were not run with.
    if (statuses[i].state != State::kDone) continue;
    const std::string name = stages[i]->Name();
    search.FindUnused(*stages[i], records.at(name), read);
    if (rules.quick_stages.contains(name)) {
      search.FindQuick(*stages[i], waited_for);
    }
  }
  return search.Found();
}

void RemoveSpareFiles(const Workspace& workspace, const SpareFiles& files) {
  const fs::path place = workspace.root() / files.path;
  if (files.kind == Kind::kUnfinished) {
    // First what makes it count: parts that are only half there must not.
    fs::remove(place / kKeyFile);
    for (const fs::path& entry : UnfinishedIn(place)) fs::remove_all(entry);
    RemoveIfEmpty(place);
  } else if (files.kind == Kind::kScored) {
    for (const fs::path& picture :
         ScoredPictures(workspace, place.filename())) {
      fs::remove(picture);
    }
    RemoveIfEmpty(place);
    RemoveIfEmpty(place.parent_path());
  } else {
    // Away as a whole first: half a folder would be one that somebody altered.
    const fs::path aside = workspace.UnfinishedPath("clean");
    fs::remove_all(aside);
    fs::create_directories(aside);
    fs::rename(place, aside / "old");
    fs::remove_all(aside);
  }
}

}  // namespace nerfpipe
