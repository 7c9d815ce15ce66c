#pragma once

// The flags that every command takes: one table, from which they are declared
// and from which they are handed on to the processes that a command starts.

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace nerfpipe {

struct CommonFlags {
  std::string workspace;          // -w
  std::string config;             // --config NAME or FILE
  std::vector<std::string> sets;  // --set group.option=value
  std::string threads;            // --threads, short for machine.threads
  std::string memory;             // --mem, short for machine.memory
  std::string device;             // --device, short for machine.device
  bool quiet = false;
  bool verbose = false;
  bool json = false;
};

void DeclareCommonFlags(CLI::App& app, CommonFlags* flags);

// As arguments of a `run` that `batch` starts.
std::vector<std::string> FlagsForRun(const CommonFlags& flags);

// As arguments of the child process of an isolated stage, and back. It gets the
// options as they were resolved (Config::Assignments): a file could be edited
// while its parent runs, whose record would tell of other options then.
std::vector<std::string> FlagsForStage(
    CommonFlags flags, const std::vector<std::string>& assignments);
CommonFlags FlagsOfStage(const std::vector<std::string>& arguments);

}  // namespace nerfpipe
