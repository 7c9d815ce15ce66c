#include "tests/run_program.h"

#include "pipeline/base/atomic_file.h"
#include "tests/temporary_folder.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace nerfpipe {
namespace {

void SendTo(const std::string& file, int descriptor) {
  const int opened = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  dup2(opened, descriptor);
  close(opened);
}

std::string WithProcess(std::string value) {
  const std::string word = "PROCESS";
  for (size_t at = value.find(word); at != std::string::npos;
       at = value.find(word)) {
    value.replace(at, word.size(), std::to_string(getpid()));
  }
  return value;
}

// In the child process.
[[noreturn]] void Become(const ProgramCall& call,
                         const std::string& out,
                         const std::string& err) {
  SendTo(out, STDOUT_FILENO);
  SendTo(err, STDERR_FILENO);
  if (chdir(call.cwd.c_str()) != 0) {
    _exit(126);
  }
  for (const auto& [name, value] : call.environment) {
    setenv(name.c_str(), WithProcess(value).c_str(), 1);
  }
  std::vector<char*> argv = {const_cast<char*>(call.program.c_str())};
  for (const std::string& argument : call.arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  _exit(127);
}

}  // namespace

std::string BuiltProgram() { return NERFPIPE_PROGRAM; }

ProgramRun RunProgram(const ProgramCall& call) {
  const TemporaryFolder output;
  const std::string out = output / "out";
  const std::string err = output / "err";
  const pid_t child = fork();
  if (child == 0) {
    Become(call, out, err);
  }
  const auto start = std::chrono::steady_clock::now();
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    const std::chrono::duration<double> elapsed =
        std::chrono::steady_clock::now() - start;
    if (call.kill_after > 0 && elapsed.count() > call.kill_after) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ProgramRun run;
  run.exit_code =
      WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  run.out = ReadFile(out);
  run.err = ReadFile(err);
  return run;
}

ProgramRun RunProgram(const std::string& cwd,
                      const std::vector<std::string>& arguments) {
  return RunProgram({cwd, arguments});
}

ProgramRun RunProgramAndKill(const std::string& cwd,
                             const std::vector<std::string>& arguments,
                             double seconds) {
  return RunProgram({cwd, arguments, {}, seconds});
}

std::string LastLine(const ProgramRun& run) {
  const size_t end = run.err.find_last_not_of('\n') + 1;
  const size_t start = run.err.substr(0, end).rfind('\n') + 1;
  return run.err.substr(start, end - start);
}

}  // namespace nerfpipe
