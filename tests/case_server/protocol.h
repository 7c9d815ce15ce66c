#pragma once

// What run_case and a server of cases tell each other: three descriptors and a
// text go there, the status of the case, as waitpid has it, comes back.

namespace nerfpipe {

// Names the descriptor on which a server listens.
inline constexpr char kCaseSocket[] = "NERFPIPE_CASE_SOCKET";

// First of a message, with the standard streams of the case attached. Behind it
// come `bytes` of strings, each closed by a zero: the folder, then the
// arguments, then the variables of the environment.
struct CaseHeader {
  unsigned bytes = 0;
  unsigned arguments = 0;
};

}  // namespace nerfpipe
