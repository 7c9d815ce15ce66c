// The child of the tests of isolated stages, and their stage:
//
//   isolated_child PARENT WORKSPACE MEMORY DOES
//
// where DOES says what the stage does: see Run.

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/console.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "tests/pipeline/engine/isolated_stage.h"
#include "tests/touched_memory.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <thread>

#include <unistd.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMega = 1'000'000;

class Child : public IsolatedStage {
 public:
  explicit Child(std::string does) : does_(std::move(does)) {}

  StageResult Run(const StageContext& context) override {
    WriteFileAtomically(context.out / "told.txt",
                        std::to_string(context.memory) + " " +
                            std::to_string(context.threads) + " " +
                            context.device + " of " +
                            std::to_string(context.memory_limit));
    if (does_ == "fail") {
      return StageResult::Failed("no cameras", {"tried this", "and that"});
    }
    if (does_ == "throw") {
      throw UserError("frame 7 is empty", "take it out", ExitCode::kUsage);
    }
    if (does_ == "abort") {
      std::cout << "words on cout" << std::endl;
      std::fprintf(stderr, "words on stderr\n");
      std::abort();
    }
    if (does_ == "exit") std::exit(9);
    if (does_ == "exhaust") throw std::bad_alloc();
    if (does_ == "talk") {
      std::cout << "words on cout\n";
      std::printf("words on stdout\n");
      std::fprintf(stderr, "words on stderr\n");
      context.report->Info("words for people");
    }
    if (does_ == "hold") {
      const TouchedMemory held(150 * kMega);
      // Longer than the parent takes to look again.
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    if (does_ == "eat" && context.memory > 1000 * int64_t{kMega}) {
      const TouchedMemory held(1100 * kMega);
      raise(SIGKILL);
    }
    if (does_ == "killed") raise(SIGKILL);
    if (does_ == "wait") {
      // First the ears, then the word that it listens.
      WriteFileAtomically(context.workspace / "waits",
                          std::to_string(getpid()));
      while (true) {
        ThrowIfInterrupted();
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    }
    StageResult result = StageResult::Done("made it");
    if (does_ == "reduce") {
      result.reduced = "half of it was made";
      result.memory_wanted = 9000 * int64_t{kMega};
    }
    result.facts = {{"frames", {{"kept", 71}}}};
    return result;
  }

 private:
  std::string does_;
};

}  // namespace
}  // namespace nerfpipe

int main(int argc, char** argv) {
  using namespace nerfpipe;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.at(3) == "deaf") {
    WriteFileAtomically(fs::path(arguments.at(1)) / "waits", "");
    pause();  // SIGTERM before the program listens
  }
  CatchInterrupts();
  const int screen = dup(2);
  Console console(screen, {});
  const Workspace workspace = Workspace::Open(arguments.at(1));
  Child stage(arguments.at(3));
  Machine machine;
  machine.threads = 3;
  machine.memory = "4G";
  machine.device = "cuda:1";
  return RunAsChild(std::stoi(arguments.at(0)),
                    workspace,
                    stage,
                    machine,
                    std::stoll(arguments.at(2)),
                    console);
}
