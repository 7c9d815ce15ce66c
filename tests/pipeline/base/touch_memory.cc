// touch_memory MEGABYTES: holds so much for longer than a parent takes to look
// again, for the tests of child processes.

#include "tests/touched_memory.h"

#include <chrono>
#include <string>
#include <thread>

int main(int, char** argv) {
  const nerfpipe::TouchedMemory held(std::stoul(argv[1]) * 1'000'000);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  return 0;
}
