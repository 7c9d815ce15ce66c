#include "pipeline/base/memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

#include <unistd.h>

namespace nerfpipe {

namespace fs = std::filesystem;

namespace {

// The number behind `key` in a file of "key number" lines; -1 without one.
int64_t NumberBehind(const std::string& key, const fs::path& path) {
  std::ifstream file(path);
  std::string word;
  while (file >> word) {
    int64_t number = 0;
    if (word == key && file >> number) return number;
    file.clear();
    file.ignore(1 << 12, '\n');
  }
  return -1;
}

// The only number of a file; -1 when it says something else, as "max".
int64_t NumberIn(const fs::path& path) {
  std::ifstream file(path);
  int64_t number = -1;
  return file >> number ? number : -1;
}

// The least of what `bytes` tells of the folders of the control groups (version
// 2) above this process.
template <typename Bytes>
int64_t LeastOfControlGroups(const fs::path& root, const Bytes& bytes) {
  std::ifstream file(root / "proc/self/cgroup");
  std::string line;
  int64_t least = std::numeric_limits<int64_t>::max();
  while (std::getline(file, line)) {
    if (!line.starts_with("0::/")) continue;
    for (std::string group = line.substr(3);;
         group.resize(group.find_last_of('/'))) {
      const std::optional<int64_t> told =
          bytes(root / ("sys/fs/cgroup" + group));
      if (told) least = std::min(least, *told);
      if (group.find_last_of('/') == std::string::npos) break;
    }
  }
  return std::max<int64_t>(0, least);
}

std::optional<int64_t> LimitOfGroup(const fs::path& folder) {
  const int64_t limit = NumberIn(folder / "memory.max");
  return limit >= 0 ? std::optional(limit) : std::nullopt;
}

std::optional<int64_t> LeftOfGroup(const fs::path& folder) {
  const std::optional<int64_t> limit = LimitOfGroup(folder);
  const int64_t used = NumberIn(folder / "memory.current");
  if (!limit || used < 0) return std::nullopt;
  // Cached files make room when it is wanted.
  const int64_t cached = NumberBehind("inactive_file", folder / "memory.stat");
  return *limit - used + std::max<int64_t>(0, cached);
}

}  // namespace

int64_t AvailableMemory(const fs::path& root) {
  int64_t available =
      NumberBehind("MemAvailable:", root / "proc/meminfo") * 1024;
  if (available < 0) {
    available =
        static_cast<int64_t>(sysconf(_SC_AVPHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  }
  return std::min(available, LeastOfControlGroups(root, LeftOfGroup));
}

int64_t TotalMemory(const fs::path& root) {
  int64_t total = NumberBehind("MemTotal:", root / "proc/meminfo") * 1024;
  if (total < 0) {
    total =
        static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  }
  return std::min(total, LeastOfControlGroups(root, LimitOfGroup));
}

int ThreadsWithin(int64_t memory, double fixed, double each, int threads) {
  const double fit = (static_cast<double>(memory) - fixed) / each;
  return static_cast<int>(std::clamp<double>(fit, 1, std::max(1, threads)));
}

}  // namespace nerfpipe
