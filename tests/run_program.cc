#include "tests/run_program.h"

#include "pipeline/base/atomic_file.h"
#include "tests/temporary_folder.h"

#include <chrono>
#include <csignal>
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

}  // namespace

ProgramRun RunProgramAndKill(const std::string& cwd,
                             const std::vector<std::string>& arguments,
                             double seconds) {
  const TemporaryFolder output;
  const std::string out = output / "out";
  const std::string err = output / "err";
  std::vector<char*> argv = {const_cast<char*>(NERFPIPE_PROGRAM)};
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);

  const pid_t child = fork();
  if (child == 0) {
    SendTo(out, STDOUT_FILENO);
    SendTo(err, STDERR_FILENO);
    if (chdir(cwd.c_str()) != 0) {
      _exit(126);
    }
    execv(argv[0], argv.data());
    _exit(127);
  }
  const auto start = std::chrono::steady_clock::now();
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    const std::chrono::duration<double> elapsed =
        std::chrono::steady_clock::now() - start;
    if (seconds > 0 && elapsed.count() > seconds) {
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
  return RunProgramAndKill(cwd, arguments, 0);
}

}  // namespace nerfpipe
