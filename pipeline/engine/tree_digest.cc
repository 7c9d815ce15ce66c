#include "pipeline/engine/tree_digest.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/digest.h"
#include "pipeline/base/folders.h"
#include "pipeline/base/json_text.h"
#include "pipeline/base/system_call.h"

#include <cerrno>
#include <ctime>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/stat.h>

namespace nerfpipe {

namespace fs = std::filesystem;

namespace {

int64_t Nanoseconds(const struct timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// What was changed before this time has its time to itself: file systems count
// in steps of up to two seconds, and a change within the same step as the one
// before would not be seen.
int64_t Settled() {
  struct timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  return Nanoseconds(now) - 2'000'000'000;
}

}  // namespace

DigestCache::DigestCache(fs::path store) : store_(std::move(store)) {
  if (store_.empty() || !fs::exists(store_)) {
    return;
  }
  try {
    const auto json = nlohmann::json::parse(ReadFile(store_));
    for (const auto& [path, entry] : json.items()) {
      known_[FromJsonText(path)] = {
          entry.at(0), entry.at(1), entry.at(2), entry.at(3), entry.at(4)};
    }
  } catch (const nlohmann::json::exception&) {
    known_.clear();
  }
}

std::string DigestCache::FileDigest(const fs::path& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) {
    ThrowReadError(path, errno);
  }
  const int64_t time_ns = Nanoseconds(status.st_mtim);
  const int64_t change_ns = Nanoseconds(status.st_ctim);
  const int64_t settled = Settled();
  const std::string key = fs::absolute(path).lexically_normal().string();
  const auto known = known_.find(key);
  if (known != known_.end() && known->second.size == status.st_size &&
      known->second.time_ns == time_ns &&
      known->second.change_ns == change_ns &&
      known->second.inode == status.st_ino) {
    return known->second.digest;
  }
  const std::string digest = DigestOfFile(path);
  if (change_ns < settled) {
    known_[key] = {status.st_size, time_ns, change_ns, status.st_ino, digest};
    changed_ = true;
  }
  return digest;
}

std::optional<TreeDigest> DigestCache::Digest(
    const fs::path& path,
    const std::function<bool(const fs::path&)>& leave_out) {
  const fs::path clean = path.has_filename() ? path : path.parent_path();
  const fs::file_status status = fs::status(clean);
  TreeDigest result;
  if (fs::is_regular_file(status)) {
    result.digest = FileDigest(clean);
    result.files[clean.filename().string()] = result.digest;
    return result;
  }
  if (!fs::is_directory(status)) {
    return std::nullopt;
  }
  std::map<std::string, std::string> entries;
  std::vector<fs::path> folders = {clean};
  while (!folders.empty()) {
    const fs::path folder = std::move(folders.back());
    folders.pop_back();
    for (const fs::directory_entry& entry : EntriesOf(folder)) {
      const std::string name =
          entry.path().lexically_relative(clean.parent_path()).generic_string();
      if (entry.is_regular_file()) {
        entries[name] = result.files[name] = FileDigest(entry.path());
      } else if (entry.is_directory() &&
                 !(leave_out && leave_out(entry.path()))) {
        entries[name] = "folder";
        if (!entry.is_symlink()) folders.push_back(entry.path());
      }
    }
  }
  DigestBuilder builder;
  for (const auto& [name, digest] : entries) {
    // Relative to the folder itself, so that its own name does not count.
    builder.Add(name.substr(clean.filename().string().size())).Add(digest);
  }
  result.digest = builder.Finish();
  return result;
}

void DigestCache::Save() {
  if (!changed_ || store_.empty()) {
    return;
  }
  nlohmann::json json = nlohmann::json::object();
  for (const auto& [path, known] : known_) {
    if (fs::exists(path)) {
      json[ToJsonText(path)] = {known.size,
                                known.time_ns,
                                known.change_ns,
                                known.inode,
                                known.digest};
    }
  }
  WriteFileAtomically(store_, json.dump(0));
  changed_ = false;
}

}  // namespace nerfpipe
