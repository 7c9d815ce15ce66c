#pragma once

// How much memory new work may take, and what fits into it.

#include <cstdint>
#include <filesystem>

namespace nerfpipe {

// Bytes that the machine can still give without swapping, or what is left of
// this process' control group where that is less. `root` is where proc/ and
// sys/ are found.
int64_t AvailableMemory(const std::filesystem::path& root = "/");

// Bytes that the machine has, or the limit of this process' control group where
// that is less: unlike what is available, the same in every run.
int64_t TotalMemory(const std::filesystem::path& root = "/");

// As many of `threads` as fit into `memory` beside `fixed` bytes when each
// takes `each`; at least 1.
int ThreadsWithin(int64_t memory, double fixed, double each, int threads);

}  // namespace nerfpipe
