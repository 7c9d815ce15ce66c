// touch_memory MEGABYTES MILLISECONDS: holds so much for so long, for the tests
// of child processes.

#include "tests/touched_memory.h"

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

int main(int, char** argv) {
  const nerfpipe::TouchedMemory held(std::stoul(argv[1]) * 1'000'000);
  std::this_thread::sleep_for(std::chrono::milliseconds(std::stoul(argv[2])));
  std::_Exit(0);  // at once, without giving it back first
}
