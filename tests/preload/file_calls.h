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
//                              that number (1 is the first) fails so; with a
//                              "+" behind it all later ones too
//   NERFPIPE_FILE_CALLS_KILL   the process is killed before its changing call
//                              of this number
//   NERFPIPE_FILE_CALLS_UNDER  only what lies below this folder counts
//   NERFPIPE_FILE_CALLS_IN     a word of the command line of the programs that
//                              all this is for; "!WORD": of those without it
//
// Linked into a test it is told by the functions below.
//
// Names are those of the plain calls: "open" (to read), "create" (to write),
// "read", "write", "fsync", "syncfs", "rename", "unlink", "mkdir", "truncate",
// "link"; machine_calls.cc has more. "room" stands for those that take room on
// the disk: "create", "write" and "mkdir". What a descriptor belongs to is its
// path at the time of the call.

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

// For calls of other kinds: counts one of this name, and returns the errno that
// it is to fail with, or 0.
int PlannedError(const char* name);

// Adds a line to the record.
void RecordCall(const char* name,
                const std::string& path,
                const std::string& second,
                int error);

}  // namespace nerfpipe
