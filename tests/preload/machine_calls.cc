// Beside the calls on files, those that ask the machine for something else:
// "allocate" (memory, of NERFPIPE_FILE_CALLS_LEAST bytes or more, 65536 where
// that is not set), "fork" (a process), "thread" and "wait". Of memory the
// record has who asked for it, and how much.

#include "tests/preload/file_calls.h"

#include <cerrno>
#include <cstdlib>
#include <string>

#include <dlfcn.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

// The errno that a call is to fail with, or 0.
int Counted(const char* name) {
  const int error = nerfpipe::PlannedError(name);
  nerfpipe::RecordCall(name, "", "", error);
  return error;
}

template <typename Call>
auto OrFail(const char* name, const Call& call) -> decltype(call()) {
  const int error = Counted(name);
  if (error == 0) {
    return call();
  }
  errno = error;
  return -1;
}

}  // namespace

#define NEXT(name)         \
  static const auto next = \
      reinterpret_cast<decltype(&name)>(dlsym(RTLD_NEXT, #name))

extern "C" {

pid_t fork() noexcept {
  NEXT(fork);
  return OrFail("fork", [&] { return next(); });
}

int posix_spawn(pid_t* process,
                const char* path,
                const posix_spawn_file_actions_t* actions,
                const posix_spawnattr_t* attributes,
                char* const* arguments,
                char* const* environment) {
  NEXT(posix_spawn);
  const int error = Counted("fork");
  return error != 0
             ? error
             : next(process, path, actions, attributes, arguments, environment);
}

int pthread_create(pthread_t* thread,
                   const pthread_attr_t* attributes,
                   void* (*start)(void*),
                   void* argument) noexcept {
  NEXT(pthread_create);
  const int error = Counted("thread");
  return error != 0 ? error : next(thread, attributes, start, argument);
}

pid_t waitpid(pid_t process, int* status, int options) {
  NEXT(waitpid);
  return OrFail("wait", [&] { return next(process, status, options); });
}

pid_t wait4(pid_t process,
            int* status,
            int options,
            struct rusage* usage) noexcept {
  NEXT(wait4);
  return OrFail("wait", [&] { return next(process, status, options, usage); });
}

}  // extern "C"

// A sanitizer has an allocator of its own.
#if !defined(__SANITIZE_ADDRESS__)

// The C library's own: dlsym needs memory itself.
extern "C" void* __libc_malloc(size_t size);
extern "C" void* __libc_calloc(size_t count, size_t size);
extern "C" void* __libc_realloc(void* old, size_t size);
extern "C" void* __libc_memalign(size_t alignment, size_t size);

namespace {

size_t Least() {
  static const size_t least = [] {
    const char* const set = std::getenv("NERFPIPE_FILE_CALLS_LEAST");
    return set != nullptr ? static_cast<size_t>(std::atoll(set)) : 1 << 16;
  }();
  return least;
}

// Whether an allocation for the code at `caller` is to fail.
bool Refused(size_t size, const void* caller) {
  if (size < Least()) {
    return false;
  }
  const int kept = errno;
  const int error = nerfpipe::PlannedError("allocate");
  Dl_info info = {};
  const bool known = dladdr(caller, &info) != 0 && info.dli_fname != nullptr;
  nerfpipe::RecordCall(
      "allocate", known ? info.dli_fname : "", std::to_string(size), error);
  errno = error != 0 ? error : kept;
  return error != 0;
}

}  // namespace

extern "C" {

void* malloc(size_t size) {
  return Refused(size, __builtin_return_address(0)) ? nullptr
                                                    : __libc_malloc(size);
}

void* calloc(size_t count, size_t size) {
  size_t bytes = 0;
  return !__builtin_mul_overflow(count, size, &bytes) &&
                 Refused(bytes, __builtin_return_address(0))
             ? nullptr
             : __libc_calloc(count, size);
}

void* realloc(void* old, size_t size) {
  return Refused(size, __builtin_return_address(0)) ? nullptr
                                                    : __libc_realloc(old, size);
}

void* memalign(size_t alignment, size_t size) {
  return Refused(size, __builtin_return_address(0))
             ? nullptr
             : __libc_memalign(alignment, size);
}

void* aligned_alloc(size_t alignment, size_t size) {
  return Refused(size, __builtin_return_address(0))
             ? nullptr
             : __libc_memalign(alignment, size);
}

int posix_memalign(void** place, size_t alignment, size_t size) noexcept {
  if (Refused(size, __builtin_return_address(0))) {
    return ENOMEM;
  }
  void* const memory = __libc_memalign(alignment, size);
  if (memory == nullptr) {
    return ENOMEM;
  }
  *place = memory;
  return 0;
}

}  // extern "C"

#endif
