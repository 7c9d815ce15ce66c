#pragma once

// The real captures that some tests run on, where NERFPIPE_TEST_DATA names
// their folder.

#include <cstdlib>
#include <filesystem>

namespace nerfpipe {

// Empty when the environment names no folder.
inline std::filesystem::path RealData() {
  const char* const folder = std::getenv("NERFPIPE_TEST_DATA");
  return folder == nullptr ? "" : folder;
}

}  // namespace nerfpipe

// First line of a test that runs on real captures alone.
#define NERFPIPE_NEEDS_REAL_DATA()                                     \
  if (::nerfpipe::RealData().empty()) {                                \
    GTEST_SKIP() << "NERFPIPE_TEST_DATA names no folder of real data"; \
  }                                                                    \
  static_assert(true, "takes a semicolon")
