#pragma once

// Runs the real program and catches what it prints.

#include <string>
#include <vector>

namespace nerfpipe {

struct ProgramRun {
  int exit_code = 0;  // 128 + signal when it was killed
  std::string out;
  std::string err;
};

// `nerfpipe ARGUMENTS...` in the folder `cwd`.
ProgramRun RunProgram(const std::string& cwd,
                      const std::vector<std::string>& arguments);

// The same, killed with SIGKILL after so many seconds unless it ends before.
ProgramRun RunProgramAndKill(const std::string& cwd,
                             const std::vector<std::string>& arguments,
                             double seconds);

}  // namespace nerfpipe
