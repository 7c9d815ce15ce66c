// The headers must not put checking stand-ins in the place of the calls.
#undef _FORTIFY_SOURCE

#include "tests/preload/file_calls.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

// Plain arrays: calls come before constructors have run, and after
// destructors.
struct {
  int log = -1;
  char under[4096] = "";
  std::atomic<int64_t> kill_at{0};
  char fail_name[16] = "";
  int64_t fail_at = 0;  // 0: none
  bool fail_on = false;
  int fail_error = 0;
  std::atomic<int64_t> seen{0};  // calls of that name
} plan;

void Keep(const char* text, char* place, size_t size) {
  std::snprintf(place, size, "%s", text);
}

bool Idle() { return plan.log < 0 && plan.kill_at == 0 && plan.fail_at == 0; }

std::string PathOf(int descriptor) {
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t size = readlink(link.c_str(), path, sizeof(path));
  return size < 0 ? "" : std::string(path, static_cast<size_t>(size));
}

std::string PathOf(int folder, const char* path) {
  if (path[0] == '/') {
    return path;
  }
  std::string start;
  if (folder == AT_FDCWD) {
    char cwd[4096];
    start = getcwd(cwd, sizeof(cwd)) == nullptr ? "" : cwd;
  } else {
    start = PathOf(folder);
  }
  return path[0] == '\0' ? start : start + "/" + path;
}

bool Counts(const std::string& path) {
  return path.compare(0, std::strlen(plan.under), plan.under) == 0;
}

// Makes the call unless it is to fail; keeps errno as the caller will see it.
// Calls that change nothing are recorded only.
template <typename Call>
auto Through(const char* name,
             bool changes,
             const std::string& path,
             const std::string& second,
             const Call& call) -> decltype(call()) {
  if (!Counts(path)) {
    return call();
  }
  if (changes && plan.kill_at > 0 && --plan.kill_at == 0) {
    syscall(SYS_kill, getpid(), SIGKILL);
  }
  if (const int planned = nerfpipe::PlannedError(name)) {
    nerfpipe::RecordCall(name, path, second, planned);
    errno = planned;
    return -1;
  }
  const auto result = call();
  const int error = errno;
  nerfpipe::RecordCall(name, path, second, result < 0 ? error : 0);
  errno = error;
  return result;
}

template <typename Call>
auto OnDescriptor(const char* name, int descriptor, const Call& call) {
  return Idle() ? call() : Through(name, true, PathOf(descriptor), "", call);
}

template <typename Call>
auto OnRead(int descriptor, const Call& call) {
  return Idle() ? call() : Through("read", false, PathOf(descriptor), "", call);
}

template <typename Call>
auto OnPath(const char* name, int folder, const char* path, const Call& call) {
  return Idle() ? call() : Through(name, true, PathOf(folder, path), "", call);
}

template <typename Call>
auto OnTwoPaths(const char* name,
                int from_folder,
                const char* from,
                int to_folder,
                const char* to,
                const Call& call) {
  return Idle() ? call()
                : Through(name,
                          true,
                          PathOf(from_folder, from),
                          PathOf(to_folder, to),
                          call);
}

template <typename Call>
int Opened(int folder, const char* path, int flags, const Call& call) {
  if (Idle()) {
    return call();
  }
  const bool changes = (flags & (O_CREAT | O_TRUNC)) != 0;
  return Through(
      changes ? "create" : "open", changes, PathOf(folder, path), "", call);
}

// Whether the plan is for this program: NERFPIPE_FILE_CALLS_IN is a word of its
// command line, or, behind a "!", none of them.
bool IsMeant() {
  const char* const wanted = std::getenv("NERFPIPE_FILE_CALLS_IN");
  if (wanted == nullptr) {
    return true;
  }
  const bool without = wanted[0] == '!';
  std::string line(1 << 16, '\0');
  const int file = static_cast<int>(
      syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY));
  const auto size = syscall(SYS_read, file, line.data(), line.size());
  syscall(SYS_close, file);
  line.resize(size > 0 ? static_cast<size_t>(size) : 0);
  line.insert(line.begin(), '\0');
  const std::string word =
      std::string(1, '\0') + (wanted + (without ? 1 : 0)) + '\0';
  return (line.find(word) != std::string::npos) != without;
}

__attribute__((constructor)) void ReadPlan() {
  if (!IsMeant()) {
    return;
  }
  if (const char* under = std::getenv("NERFPIPE_FILE_CALLS_UNDER")) {
    Keep(under, plan.under, sizeof(plan.under));
  }
  if (const char* fail = std::getenv("NERFPIPE_FILE_CALLS_FAIL")) {
    char name[16] = "";
    int64_t number = 0;
    int error = 0;
    char on = 0;
    if (std::sscanf(fail, "%15[^:]:%ld:%d%c", name, &number, &error, &on) >=
        3) {
      nerfpipe::FailFileCall(name, number, error);
      plan.fail_on = on == '+';
    }
  }
  if (const char* number = std::getenv("NERFPIPE_FILE_CALLS_KILL")) {
    nerfpipe::KillAtFileCall(std::atoll(number));
  }
  if (const char* log = std::getenv("NERFPIPE_FILE_CALLS_LOG")) {
    plan.log =
        static_cast<int>(syscall(SYS_openat,
                                 AT_FDCWD,
                                 log,
                                 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                                 0666));
  }
}

}  // namespace

namespace nerfpipe {

void CountFileCallsUnder(const std::string& folder) {
  Keep(folder.c_str(), plan.under, sizeof(plan.under));
}

void KillAtFileCall(int64_t number) { plan.kill_at = number; }

void FailFileCall(const std::string& name, int64_t number, int error) {
  Keep(name.c_str(), plan.fail_name, sizeof(plan.fail_name));
  plan.fail_error = error;
  plan.fail_on = false;
  plan.seen = 0;
  plan.fail_at = name.empty() ? 0 : number;
}

int PlannedError(const char* name) {
  const std::string_view meant = plan.fail_name;
  const std::string_view here = name;
  const bool takes_room =
      here == "create" || here == "write" || here == "mkdir";
  if (plan.fail_at == 0 ||
      (here != meant && !(meant == "room" && takes_room))) {
    return 0;
  }
  const int64_t number = ++plan.seen;
  const bool fails =
      number == plan.fail_at || (plan.fail_on && number > plan.fail_at);
  return fails ? plan.fail_error : 0;
}

void RecordCall(const char* name,
                const std::string& path,
                const std::string& second,
                int error) {
  if (plan.log < 0) {
    return;
  }
  const std::string line = std::string(name) + "\t" + path + "\t" + second +
                           "\t" + std::to_string(error) + "\n";
  syscall(SYS_write, plan.log, line.data(), line.size());
}

}  // namespace nerfpipe

// The next definition of a call: the system's, or that of a sanitizer.
#define NEXT(name)         \
  static const auto next = \
      reinterpret_cast<decltype(&name)>(dlsym(RTLD_NEXT, #name))

// The mode behind the flags, where there is one.
#define READ_MODE(last)                            \
  mode_t mode = 0;                                 \
  if ((flags & (O_CREAT | __O_TMPFILE)) != 0) {    \
    va_list list;                                  \
    va_start(list, last);                          \
    mode = static_cast<mode_t>(va_arg(list, int)); \
    va_end(list);                                  \
  }

extern "C" {

int open(const char* path, int flags, ...) {
  NEXT(open);
  READ_MODE(flags)
  return Opened(AT_FDCWD, path, flags, [&] { return next(path, flags, mode); });
}

int open64(const char* path, int flags, ...) {
  NEXT(open64);
  READ_MODE(flags)
  return Opened(AT_FDCWD, path, flags, [&] { return next(path, flags, mode); });
}

int openat(int folder, const char* path, int flags, ...) {
  NEXT(openat);
  READ_MODE(flags)
  return Opened(
      folder, path, flags, [&] { return next(folder, path, flags, mode); });
}

int openat64(int folder, const char* path, int flags, ...) {
  NEXT(openat64);
  READ_MODE(flags)
  return Opened(
      folder, path, flags, [&] { return next(folder, path, flags, mode); });
}

int creat(const char* path, mode_t mode) {
  NEXT(creat);
  return OnPath("create", AT_FDCWD, path, [&] { return next(path, mode); });
}

int creat64(const char* path, mode_t mode) {
  NEXT(creat64);
  return OnPath("create", AT_FDCWD, path, [&] { return next(path, mode); });
}

// What streams of the C and C++ libraries open; these do not go through open.
FILE* fopen(const char* path, const char* mode) {
  NEXT(fopen);
  FILE* file = nullptr;
  Opened(AT_FDCWD, path, mode[0] == 'r' ? 0 : O_CREAT, [&] {
    file = next(path, mode);
    return file == nullptr ? -1 : 0;
  });
  return file;
}

FILE* fopen64(const char* path, const char* mode) {
  NEXT(fopen64);
  FILE* file = nullptr;
  Opened(AT_FDCWD, path, mode[0] == 'r' ? 0 : O_CREAT, [&] {
    file = next(path, mode);
    return file == nullptr ? -1 : 0;
  });
  return file;
}

DIR* opendir(const char* path) {
  NEXT(opendir);
  DIR* folder = nullptr;
  Opened(AT_FDCWD, path, O_RDONLY, [&] {
    folder = next(path);
    return folder == nullptr ? -1 : 0;
  });
  return folder;
}

ssize_t read(int file, void* data, size_t size) {
  NEXT(read);
  return OnRead(file, [&] { return next(file, data, size); });
}

ssize_t pread(int file, void* data, size_t size, off_t at) {
  NEXT(pread);
  return OnRead(file, [&] { return next(file, data, size, at); });
}

ssize_t pread64(int file, void* data, size_t size, off64_t at) {
  NEXT(pread64);
  return OnRead(file, [&] { return next(file, data, size, at); });
}

ssize_t write(int file, const void* data, size_t size) {
  NEXT(write);
  return OnDescriptor("write", file, [&] { return next(file, data, size); });
}

ssize_t writev(int file, const struct iovec* parts, int count) {
  NEXT(writev);
  return OnDescriptor("write", file, [&] { return next(file, parts, count); });
}

ssize_t pwrite(int file, const void* data, size_t size, off_t at) {
  NEXT(pwrite);
  return OnDescriptor(
      "write", file, [&] { return next(file, data, size, at); });
}

ssize_t pwrite64(int file, const void* data, size_t size, off64_t at) {
  NEXT(pwrite64);
  return OnDescriptor(
      "write", file, [&] { return next(file, data, size, at); });
}

ssize_t sendfile(int to, int from, off_t* at, size_t size) noexcept {
  NEXT(sendfile);
  return OnDescriptor("write", to, [&] { return next(to, from, at, size); });
}

ssize_t copy_file_range(int from,
                        off64_t* from_at,
                        int to,
                        off64_t* to_at,
                        size_t size,
                        unsigned flags) {
  NEXT(copy_file_range);
  return OnDescriptor(
      "write", to, [&] { return next(from, from_at, to, to_at, size, flags); });
}

int ftruncate(int file, off_t size) noexcept {
  NEXT(ftruncate);
  return OnDescriptor("truncate", file, [&] { return next(file, size); });
}

int ftruncate64(int file, off64_t size) noexcept {
  NEXT(ftruncate64);
  return OnDescriptor("truncate", file, [&] { return next(file, size); });
}

int fsync(int file) {
  NEXT(fsync);
  return OnDescriptor("fsync", file, [&] { return next(file); });
}

int fdatasync(int file) {
  NEXT(fdatasync);
  return OnDescriptor("fsync", file, [&] { return next(file); });
}

int syncfs(int file) noexcept {
  NEXT(syncfs);
  return OnDescriptor("syncfs", file, [&] { return next(file); });
}

int renameat(int from_folder,
             const char* from,
             int to_folder,
             const char* to) noexcept {
  NEXT(renameat);
  return OnTwoPaths("rename", from_folder, from, to_folder, to, [&] {
    return next(from_folder, from, to_folder, to);
  });
}

int renameat2(int from_folder,
              const char* from,
              int to_folder,
              const char* to,
              unsigned flags) noexcept {
  NEXT(renameat2);
  return OnTwoPaths("rename", from_folder, from, to_folder, to, [&] {
    return next(from_folder, from, to_folder, to, flags);
  });
}

int rename(const char* from, const char* to) noexcept {
  NEXT(rename);
  return OnTwoPaths(
      "rename", AT_FDCWD, from, AT_FDCWD, to, [&] { return next(from, to); });
}

int link(const char* from, const char* to) noexcept {
  NEXT(link);
  return OnTwoPaths(
      "link", AT_FDCWD, from, AT_FDCWD, to, [&] { return next(from, to); });
}

int unlink(const char* path) noexcept {
  NEXT(unlink);
  return OnPath("unlink", AT_FDCWD, path, [&] { return next(path); });
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  NEXT(unlinkat);
  return OnPath(
      "unlink", folder, path, [&] { return next(folder, path, flags); });
}

int remove(const char* path) noexcept {
  NEXT(remove);
  return OnPath("unlink", AT_FDCWD, path, [&] { return next(path); });
}

int rmdir(const char* path) noexcept {
  NEXT(rmdir);
  return OnPath("unlink", AT_FDCWD, path, [&] { return next(path); });
}

int mkdir(const char* path, mode_t mode) noexcept {
  NEXT(mkdir);
  return OnPath("mkdir", AT_FDCWD, path, [&] { return next(path, mode); });
}

int close(int file) {
  NEXT(close);
  const auto call = [&] { return next(file); };
  return Idle() ? call() : Through("close", false, PathOf(file), "", call);
}

}  // extern "C"
