// One file, for afl-fuzz: its name is the only argument. libAFLDriver would
// read many in one process, but needs AFL's GCC plugin, which fits one build of
// GCC only; the instrumentation by afl-g++ works with every one.

#include "pipeline/base/atomic_file.h"
#include "tests/fuzz/harness.h"

#include <cstdio>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  if (argc != 2) {
    LLVMFuzzerTestOneInput(nullptr, 0);  // lists the readers if none is named
    std::fprintf(stderr, "usage: NERFPIPE_READER=... %s FILE\n", argv[0]);
    return 2;
  }
  const std::string bytes = nerfpipe::ReadFile(argv[1]);
  return LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()),
                                bytes.size());
}
