#pragma once

// Digests of files and folders, remembered by size, times and inode so that
// unchanged files are not read again.

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace nerfpipe {

struct TreeDigest {
  std::string digest;
  // Path relative to the digested path's parent, with '/', to digest.
  std::map<std::string, std::string> files;
};

class DigestCache {
 public:
  // `store` is the file it is kept in between runs; a missing or damaged one,
  // or one of another version, only costs time. Empty: not kept.
  explicit DigestCache(std::filesystem::path store);

  // Digest of a file, or of a folder with everything in it (names and
  // contents; empty folders count, times do not), but for folders below it that
  // `leave_out` names. Nothing when `path` does not exist.
  std::optional<TreeDigest> Digest(
      const std::filesystem::path& path,
      const std::function<bool(const std::filesystem::path&)>& leave_out = {});

  // Writes the store if anything was learnt.
  void Save();

 private:
  struct Known {
    int64_t size;
    int64_t time_ns;
    int64_t change_ns;  // of the status: nobody can set that one back
    uint64_t inode;
    std::string digest;
  };
  std::string FileDigest(const std::filesystem::path& path);

  std::filesystem::path store_;
  std::map<std::string, Known> known_;
  bool changed_ = false;
};

}  // namespace nerfpipe
