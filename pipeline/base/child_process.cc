#include "pipeline/base/child_process.h"

#include "pipeline/base/interrupt.h"
#include "pipeline/base/system_call.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>
#include <thread>

#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace nerfpipe {

namespace {

// Peak resident size of a process in megabytes; nothing when it cannot be told
// (any more).
std::optional<double> PeakOf(const std::string& process) {
  std::ifstream status("/proc/" + process + "/status");
  std::string key;
  while (status >> key) {
    double kib = 0;
    if (key == "VmHWM:" && status >> kib) {
      return kib * 1024 / 1e6;
    }
    status.ignore(1 << 12, '\n');
  }
  return std::nullopt;
}

double InMb(const struct rusage& usage) {
  return static_cast<double>(usage.ru_maxrss) * 1024 / 1e6;
}

}  // namespace

ChildResult RunChild(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);

  // A group of its own: Ctrl-C on the terminal reaches it once, through us.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  pid_t pid = 0;
  const double own_peak = PeakMemoryMb();
  const auto start = std::chrono::steady_clock::now();
  const int error =
      posix_spawn(&pid, argv[0], nullptr, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    ThrowSystemError("cannot start " + arguments[0], error);
  }

  int status = 0;
  struct rusage usage = {};
  double seen_peak = 0;
  bool passed_on = false;
  while (true) {
    const pid_t ended = wait4(pid, &status, WNOHANG, &usage);
    if (ended == pid) {
      break;
    }
    if (ended < 0 && errno != EINTR) {
      throw CheckFailed("wait4 lost its child");
    }
    seen_peak = std::max(seen_peak, PeakOf(std::to_string(pid)).value_or(0));
    if (InterruptRequested() && !passed_on) {
      kill(pid, SIGTERM);
      passed_on = true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }

  ChildResult result;
  result.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  // The system counts our own peak as the child's too, for it began as a copy
  // of this process: below that only what was seen on the way is known.
  // (The system counts pages in batches.)
  result.peak_memory_mb =
      InMb(usage) > 1.02 * own_peak + 1 ? InMb(usage) : seen_peak;
  if (WIFSIGNALED(status)) {
    result.signal = WTERMSIG(status);
  } else {
    result.exit_code = WEXITSTATUS(status);
  }
  return result;
}

std::filesystem::path ThisProgram() {
  return std::filesystem::read_symlink("/proc/self/exe");
}

double PeakMemoryMb() {
  if (const std::optional<double> peak = PeakOf("self")) {
    return *peak;
  }
  struct rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return InMb(usage);
}

void ResetPeakMemory() {
  // Linux: "5" resets the high-water mark of resident memory.
  std::ofstream("/proc/self/clear_refs") << "5";
}

}  // namespace nerfpipe
