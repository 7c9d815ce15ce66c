#include "pipeline/cli/trainer_module.h"

#include "pipeline/base/child_process.h"
#include "pipeline/base/error.h"
#include "pipeline/base/parallel.h"

#include <thread>

#include <dlfcn.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

constexpr char kModule[] = "nerfpipe-trainer.so";

fs::path ModulePath() {
  const fs::path program = ThisProgram();
  const fs::path beside = program.parent_path() / kModule;
  if (fs::is_regular_file(beside)) {
    return beside;
  }
  const fs::path installed =
      program.parent_path().parent_path() / NERFPIPE_LIBRARY_FOLDER / kModule;
  if (fs::is_regular_file(installed)) {
    return installed;
  }
  throw UserError("the trainer is missing: there is neither " +
                      beside.string() + " nor " + installed.string(),
                  "copy " + std::string(kModule) +
                      " along with the program, or install nerfpipe again");
}

const TrainerLibrary& Load() {
  const fs::path path = ModulePath();
  // The pool of LibTorch waits for ever for a thread that is not granted.
  RequireThreads(static_cast<int>(std::thread::hardware_concurrency()));
  void* const module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* const symbol =
      module != nullptr ? dlsym(module, "nerfpipe_trainer_library") : nullptr;
  if (symbol == nullptr) {
    throw UserError("the trainer cannot be loaded: " + std::string(dlerror()),
                    "install the LibTorch that nerfpipe was built with, or "
                    "build nerfpipe again");
  }
  return *reinterpret_cast<const TrainerLibrary* (*)()>(symbol)();
}

}  // namespace

const TrainerLibrary& LoadTrainerLibrary() {
  static const TrainerLibrary& library = Load();
  return library;
}

void CheckTrainerIsThere() { ModulePath(); }

}  // namespace nerfpipe
