#include "tests/preload/recorded_run.h"

#include "pipeline/base/atomic_file.h"
#include "tests/temporary_folder.h"

#include <cstdlib>
#include <sstream>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace nerfpipe {
namespace {

bool IsCall(const FileCall& call,
            const std::string& name,
            const std::filesystem::path& path) {
  return call.name == name && call.path == path && call.error == 0;
}

}  // namespace

std::vector<FileCall> ReadFileCalls(const std::filesystem::path& log) {
  std::vector<FileCall> calls;
  if (!std::filesystem::exists(log)) return calls;
  std::istringstream lines(ReadFile(log));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    FileCall call;
    std::getline(fields, call.name, '\t');
    std::getline(fields, call.path, '\t');
    std::getline(fields, call.second, '\t');
    fields >> call.error;
    calls.push_back(call);
  }
  return calls;
}

size_t RecordedRun::First(const std::string& name,
                          const std::filesystem::path& path,
                          const std::filesystem::path& second,
                          size_t from) const {
  for (size_t i = from; i < calls.size(); ++i) {
    if (IsCall(calls[i], name, path) &&
        (second.empty() || calls[i].second == second)) {
      return i;
    }
  }
  return calls.size();
}

size_t RecordedRun::Last(const std::string& name,
                         const std::filesystem::path& path) const {
  for (size_t i = calls.size(); i > 0; --i) {
    if (IsCall(calls[i - 1], name, path)) {
      return i - 1;
    }
  }
  return calls.size();
}

RecordedRun RunRecorded(const std::vector<std::string>& arguments,
                        const std::filesystem::path& under,
                        const std::string& fail) {
  const TemporaryFolder notes;
  const std::string log = notes / "calls";
  const std::string output = notes / "output";
  WriteFileAtomically(log, "");
  std::vector<char*> argv;
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);

  const pid_t child = fork();
  if (child == 0) {
    const int file = open(output.c_str(), O_WRONLY | O_CREAT, 0666);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    setenv("LD_PRELOAD", NERFPIPE_FILE_CALLS_LIBRARY, 1);
    setenv("NERFPIPE_FILE_CALLS_LOG", log.c_str(), 1);
    setenv("NERFPIPE_FILE_CALLS_UNDER", under.c_str(), 1);
    if (!fail.empty()) {
      setenv("NERFPIPE_FILE_CALLS_FAIL", fail.c_str(), 1);
    }
    // Sanitizers want to come first; here they need not.
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
    execv(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  RecordedRun run;
  run.exit_code =
      WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  run.output = ReadFile(output);
  run.calls = ReadFileCalls(log);
  return run;
}

}  // namespace nerfpipe
