#pragma once

// Runs the real program and catches what it prints.

#include <map>
#include <string>
#include <vector>

namespace nerfpipe {

struct ProgramRun {
  int exit_code = 0;  // 128 + signal when it was killed
  std::string out;
  std::string err;
};

// Of the program that was built.
std::string BuiltProgram();

struct ProgramCall {
  std::string cwd;
  std::vector<std::string> arguments;
  // Beside what this process has. PROCESS stands for the program's process
  // number wherever it occurs in a value.
  std::map<std::string, std::string> environment = {};
  // SIGKILL after so many seconds unless it ends before; 0: never.
  double kill_after = 0;
  std::string program = BuiltProgram();
};

ProgramRun RunProgram(const ProgramCall& call);

// `nerfpipe ARGUMENTS...` in the folder `cwd`.
ProgramRun RunProgram(const std::string& cwd,
                      const std::vector<std::string>& arguments);

// The same, killed with SIGKILL after so many seconds unless it ends before.
ProgramRun RunProgramAndKill(const std::string& cwd,
                             const std::vector<std::string>& arguments,
                             double seconds);

// The last line on the error stream, without its end.
std::string LastLine(const ProgramRun& run);

}  // namespace nerfpipe
