#pragma once

// One run of the program in which something fails, and what is to hold of it:
// the workspace is the old or the new one, the last line says why, and the next
// run ends with the files of an undisturbed one.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace nerfpipe {

// Whose calls are counted: those of the program, or of its child process.
enum class Whose { kProgram, kChild };

struct Fault {
  std::string kind;    // as in tests/preload/file_calls.h
  int error = 0;       // errno
  int64_t number = 1;  // of the call, from 1
  bool on = false;     // and all later ones
  Whose whose = Whose::kProgram;
};

enum class Outcome {
  kSame,    // went on; the files are those of an undisturbed run
  kTold,    // ended with exit code 1 and the cause in its last line
  kKilled,  // by us
  kMissed,  // the call did not come
};

struct Trial {
  Outcome outcome = Outcome::kMissed;
  std::string problem;  // what should not be so; empty: nothing
  std::string said;     // the last line
};

// A command in a folder, with what is there before it.
class Scene {
 public:
  // Runs it undisturbed. `folder` holds `capture` and, where the workspace is
  // there already, that: "work".
  Scene(std::string name,
        const std::filesystem::path& folder,
        const std::string& capture,
        std::vector<std::string> command);

  const std::string& name() const { return name_; }
  // How many calls of a kind an undisturbed run makes; of "change", those that
  // a kill is counted by.
  int64_t Count(const std::string& kind, Whose whose) const;
  // How long one takes.
  double seconds() const { return seconds_; }
  // What the workspace holds that must be in it for ever, by its digest.
  void Keep(const std::string& digest) { kept_.push_back(digest); }

  Trial Fail(const Fault& fault) const;
  // Before the changing call of this number, or after so many seconds.
  Trial KillAt(int64_t number, Whose whose) const;
  Trial KillAfter(double seconds) const;

 private:
  using Files = std::map<std::string, std::string>;
  struct Ended {
    int exit_code = 0;
    std::string last_line;
    std::string err;
    std::vector<std::string> names;  // the failed calls' paths
    bool reached = false;
  };

  Ended Run(const std::map<std::string, std::string>& environment,
            double kill_after = 0) const;
  void PutBack() const;
  Files Look() const;
  Files CaptureFiles() const;
  void CountCalls(Whose whose);
  std::string ProblemOfState() const;
  std::string ProblemOfNextRun() const;
  Trial Judged(const Fault* fault, const Ended& ended) const;
  std::string ProblemOfWords(const Fault& fault, const Ended& ended) const;

  std::string name_;
  std::filesystem::path folder_;
  std::filesystem::path work_;
  std::filesystem::path before_;  // a copy of the workspace, if there was one
  std::string capture_;
  std::vector<std::string> command_;
  std::map<Whose, std::map<std::string, int64_t>> counts_;
  std::vector<std::string> kept_;
  std::map<std::string, std::vector<std::string>> outputs_;  // by stage
  Files capture_files_;
  Files old_files_;
  Files new_files_;
  double seconds_ = 0;
};

// "write 12 fails with ENOSPC".
std::string WordsFor(const Fault& fault);

}  // namespace nerfpipe
