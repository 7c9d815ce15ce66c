#pragma once

// Runs a program with the preloaded record of its calls on files.

#include "tests/preload/file_calls.h"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe {

struct FileCall {
  std::string name;
  std::string path;
  std::string second;  // where a rename leads to
  int error = 0;
};

// What the preloaded library has written to `log`; nothing when it is not
// there.
std::vector<FileCall> ReadFileCalls(const std::filesystem::path& log);

struct RecordedRun {
  int exit_code = 0;   // 128 + signal when it was killed
  std::string output;  // of both streams
  std::vector<FileCall> calls;

  // Position of the first (last) such call at or after `from` that succeeded;
  // the number of all calls when there is none. An empty `second` stands for
  // any.
  size_t First(const std::string& name,
               const std::filesystem::path& path,
               const std::filesystem::path& second = {},
               size_t from = 0) const;
  size_t Last(const std::string& name, const std::filesystem::path& path) const;
};

// Calls below `under` are recorded. `fail` is NAME:NUMBER:ERRNO, or empty.
RecordedRun RunRecorded(const std::vector<std::string>& arguments,
                        const std::filesystem::path& under,
                        const std::string& fail = {});

}  // namespace nerfpipe
