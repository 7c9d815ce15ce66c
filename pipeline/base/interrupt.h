#pragma once

// Ctrl-C and SIGTERM ask the program to stop at the next safe point.

namespace nerfpipe {

// From now on SIGINT and SIGTERM only set a flag; a second SIGINT ends the
// process at once.
void CatchInterrupts();

bool InterruptRequested();

// Sets or clears the flag by hand (tests).
void RequestInterrupt(bool on);

// Throws Interrupted when the flag is set.
void ThrowIfInterrupted();

}  // namespace nerfpipe
