#pragma once

// The three kinds of trouble: a bug fails NERFPIPE_CHECK, bad input throws
// UserError, failed work is returned as a result (engine/stage.h). Standard
// library only, so that every folder can include it.

#include <stdexcept>
#include <string>
#include <utility>

namespace nerfpipe {

// Exit codes of the program.
enum class ExitCode {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,
  kInterrupted = 130,
};

// Something the user gave cannot be used. `problem` says what and where (file,
// frame, option, value); `remedy` says what to do. Both are one sentence part
// each, without a full stop at the end: they are shown as
// "nerfpipe: PROBLEM; REMEDY".
class UserError : public std::runtime_error {
 public:
  UserError(std::string problem,
            std::string remedy,
            ExitCode exit_code = ExitCode::kFailed)
      : std::runtime_error(problem + "; " + remedy),
        problem_(std::move(problem)),
        remedy_(std::move(remedy)),
        exit_code_(exit_code) {}

  const std::string& problem() const { return problem_; }
  const std::string& remedy() const { return remedy_; }
  ExitCode exit_code() const { return exit_code_; }

 private:
  std::string problem_;
  std::string remedy_;
  ExitCode exit_code_;
};

// What the machine refuses: the disk, memory, another process. It says nothing
// of what was being read: who leaves out what cannot be used, or begins anew
// without it, lets this pass.
class MachineError : public UserError {
  using UserError::UserError;
};

// Thrown at a safe point after Ctrl-C or SIGTERM.
class Interrupted : public std::exception {
 public:
  const char* what() const noexcept override { return "interrupted"; }
};

// A broken promise inside the program: never the user's fault.
class CheckFailed : public std::logic_error {
  using std::logic_error::logic_error;
};

[[noreturn]] inline void FailCheck(const char* condition,
                                   const char* file,
                                   int line) {
  throw CheckFailed(std::string(file) + ":" + std::to_string(line) +
                    ": this should hold but does not: " + condition);
}

}  // namespace nerfpipe

#define NERFPIPE_CHECK(condition)                            \
  do {                                                       \
    if (!(condition)) {                                      \
      ::nerfpipe::FailCheck(#condition, __FILE__, __LINE__); \
    }                                                        \
  } while (false)
