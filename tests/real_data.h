#pragma once

// The real captures that some tests run on, where NERFPIPE_TEST_DATA names
// their folder.

#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace nerfpipe {

// Empty when the environment names no folder.
inline std::filesystem::path RealData() {
  const char* const folder = std::getenv("NERFPIPE_TEST_DATA");
  return folder == nullptr ? "" : folder;
}

// Must the tests on real captures run?
inline bool IsRealDataRequired() {
  const char* const value = std::getenv("NERFPIPE_REQUIRE_DATA");
  return value != nullptr && std::string_view(value) == "1";
}

}  // namespace nerfpipe

// First line of a test that runs on real captures alone. A folder that is named
// and not there is a mistake, which must not pass as a test that was skipped.
#define NERFPIPE_NEEDS_REAL_DATA()                                     \
  if (::nerfpipe::RealData().empty()) {                                \
    if (::nerfpipe::IsRealDataRequired()) {                            \
      FAIL() << "NERFPIPE_TEST_DATA names no folder of real data";     \
    }                                                                  \
    GTEST_SKIP() << "NERFPIPE_TEST_DATA names no folder of real data"; \
  }                                                                    \
  ASSERT_TRUE(std::filesystem::is_directory(::nerfpipe::RealData()))   \
      << ::nerfpipe::RealData() << ", which NERFPIPE_TEST_DATA names"
