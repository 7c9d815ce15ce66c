#pragma once

// Runs a program to its end, and tells how it ended and what it cost.

#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe {

struct ChildResult {
  int exit_code = 0;  // when it ended by itself
  int signal = 0;     // when it was killed: the signal, else 0
  double seconds = 0;
  double peak_memory_mb = 0;  // largest resident size
};

// Starts arguments[0] (a path, no search, no shell) and waits. SIGINT and
// SIGTERM that reach this process meanwhile are passed on. Throws UserError
// when the program cannot be started.
ChildResult RunChild(const std::vector<std::string>& arguments);

// The file of the running program.
std::filesystem::path ThisProgram();

// Peak resident size of this process in megabytes (10^6 bytes) since the last
// ResetPeakMemory, or since its start where the system cannot reset it.
double PeakMemoryMb();
void ResetPeakMemory();

}  // namespace nerfpipe
