#include "pipeline/base/interrupt.h"

#include "pipeline/base/error.h"

#include <atomic>
#include <csignal>

namespace nerfpipe {
namespace {

std::atomic<bool> requested{false};
static_assert(std::atomic<bool>::is_always_lock_free,
              "the flag is set in a signal handler");

void Handle(int signal_number) {
  if (requested.exchange(true) && signal_number == SIGINT) {
    std::signal(SIGINT, SIG_DFL);
    std::raise(SIGINT);
  }
}

}  // namespace

void CatchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = Handle;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool InterruptRequested() { return requested.load(); }

void RequestInterrupt(bool on) { requested.store(on); }

void ThrowIfInterrupted() {
  if (InterruptRequested()) {
    throw Interrupted();
  }
}

}  // namespace nerfpipe
