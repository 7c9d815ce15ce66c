// To be preloaded (LD_PRELOAD) into a program and its children: sends a signal
// when the first file is opened whose path holds a text. A moment that hangs on
// no clock, in whatever process it comes.
//
//   INTERRUPT_AT       the text
//   INTERRUPT_PROCESS  who gets the signal
//   INTERRUPT_SIGNAL   its number
//   INTERRUPT_DONE     a file that does not exist; made at the moment, so that
//                      there is only one

#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

template <typename Function>
Function Real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

void Look(const char* path) {
  const char* const text = std::getenv("INTERRUPT_AT");
  if (text == nullptr || path == nullptr ||
      std::strstr(path, text) == nullptr) {
    return;
  }
  const char* const done = std::getenv("INTERRUPT_DONE");
  const int file = Real<int (*)(const char*, int, ...)>("open")(
      done, O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (file >= 0) {
    close(file);
    kill(std::atoi(std::getenv("INTERRUPT_PROCESS")),
         std::atoi(std::getenv("INTERRUPT_SIGNAL")));
  }
}

mode_t ModeIn(int flags, va_list list) {
  return (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = ModeIn(flags, list);
  va_end(list);
  Look(path);
  return Real<int (*)(const char*, int, ...)>("open")(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = ModeIn(flags, list);
  va_end(list);
  Look(path);
  return Real<int (*)(const char*, int, ...)>("open64")(path, flags, mode);
}

FILE* fopen(const char* path, const char* mode) {
  Look(path);
  return Real<FILE* (*)(const char*, const char*)>("fopen")(path, mode);
}

FILE* fopen64(const char* path, const char* mode) {
  Look(path);
  return Real<FILE* (*)(const char*, const char*)>("fopen64")(path, mode);
}

}  // extern "C"
