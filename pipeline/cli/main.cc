#include "pipeline/cli/program.h"

int main(int argc, char** argv) { return nerfpipe::Program(argc, argv); }
