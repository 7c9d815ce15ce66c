#pragma once

// Stands between a program and the calls that change files: keeps a record of
// them, lets one of them fail, or kills the process before one of them.
//
// It does so in two ways. Preloaded into a program of its own (LD_PRELOAD) it
// is told by the environment what to do:
//
//   NERFPIPE_FILE_CALLS_LOG    file that the record is appended to, a line per
//                              call: NAME, path, second path and errno, with
//                              tabs between
//   NERFPIPE_FILE_CALLS_FAIL   NAME:NUMBER:ERRNO; the call of that name with
//                              that number (1 is the first) fails so
//   NERFPIPE_FILE_CALLS_UNDER  only what lies below this folder counts
//
// Linked into a test it is told by the functions below.
//
// Names are those of the plain calls: "open" (to read), "create" (to write),
// "write", "fsync", "syncfs", "rename", "unlink", "mkdir", "truncate", "link".
// What a descriptor belongs to is its path at the time of the call.

#include <cstdint>
#include <string>

namespace nerfpipe {

// Only calls on paths below this folder count from now on.
void CountFileCallsUnder(const std::string& folder);

// The process is killed (SIGKILL) before its changing call of this number; 1 is
// the next one, 0 none.
void KillAtFileCall(int64_t number);

// The call of this name and number from now on fails; "" ends it.
void FailFileCall(const std::string& name, int64_t number, int error);

}  // namespace nerfpipe
