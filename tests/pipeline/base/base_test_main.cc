// Also a program that holds memory, for the tests of child processes:
// base_test --touch-megabytes=150

#include "tests/touched_memory.h"

#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

int main(int argc, char** argv) {
  const std::string touch = "--touch-megabytes=";
  if (argc == 2 && std::string(argv[1]).rfind(touch, 0) == 0) {
    const nerfpipe::TouchedMemory held(std::stoul(argv[1] + touch.size()) *
                                       1'000'000);
    return 0;
  }
  ::testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
