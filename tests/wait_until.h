#pragma once

// For tests with processes: what can be waited for is not slept for.

#include <chrono>
#include <fstream>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

#include <sys/types.h>

namespace nerfpipe {

// Looks again and again. Throws after half a minute: then the test hangs.
inline void WaitUntil(const std::function<bool()>& holds) {
  const auto start = std::chrono::steady_clock::now();
  while (!holds()) {
    if (std::chrono::steady_clock::now() - start > std::chrono::seconds(30)) {
      throw std::runtime_error("waited in vain");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

// The text behind "KEY:" in /proc/PID/status; empty when there is none.
inline std::string ProcessStatus(pid_t process, const std::string& key) {
  std::ifstream file("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(key + ":", 0) == 0) {
      return line.substr(line.find_first_not_of(" \t", key.size() + 1));
    }
  }
  return "";
}

// The process waits for something, as a read.
inline bool IsAsleep(pid_t process) {
  return ProcessStatus(process, "State")[0] == 'S';
}

inline bool HasPendingSignal(pid_t process) {
  return (ProcessStatus(process, "SigPnd") + ProcessStatus(process, "ShdPnd"))
             .find_first_not_of('0') != std::string::npos;
}

}  // namespace nerfpipe
