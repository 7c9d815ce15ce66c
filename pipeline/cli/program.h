#pragma once

// The program: parses the command line, runs a command, turns every kind of
// trouble into one line and an exit code.

namespace nerfpipe {

int Program(int argc, char** argv);

}  // namespace nerfpipe
