#include "pipeline/base/folders.h"

#include "pipeline/base/system_call.h"

#include <algorithm>

namespace nerfpipe {

namespace fs = std::filesystem;

std::vector<fs::directory_entry> EntriesOf(const fs::path& folder) {
  try {
    std::vector<fs::directory_entry> entries = AgainIfInterrupted([&] {
      return std::vector<fs::directory_entry>(fs::directory_iterator(folder),
                                              fs::directory_iterator());
    });
    std::sort(entries.begin(), entries.end());
    return entries;
  } catch (const fs::filesystem_error& error) {
    ThrowSystemError("cannot list " + folder.string(), error.code().value());
  }
}

void RemoveAll(const fs::path& path) {
  AgainIfInterrupted([&] { return fs::remove_all(path); });
}

}  // namespace nerfpipe
