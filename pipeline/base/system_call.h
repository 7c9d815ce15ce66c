#pragma once

// Calls of the system: made again when a signal came in between, and what they
// refuse in words. Standard library only, as error.h.

#include "pipeline/base/error.h"

#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <system_error>

namespace nerfpipe {

// The result of a call that is made again as long as it is interrupted.
template <typename Call>
auto Uninterrupted(const Call& call) -> decltype(call()) {
  auto result = call();
  while (result < 0 && errno == EINTR) {
    result = call();
  }
  return result;
}

// The same for what throws as std::filesystem does. It begins anew, so a second
// time must do no harm.
template <typename Call>
auto AgainIfInterrupted(const Call& call) -> decltype(call()) {
  while (true) {
    try {
      return call();
    } catch (const std::filesystem::filesystem_error& error) {
      if (error.code() != std::errc::interrupted) throw;
    }
  }
}

// What to do about an errno. Short, since it follows the reason.
inline std::string RemedyFor(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "free some disk space and run the same command again";
    case ENOMEM:
    case EAGAIN:
      return "close other programs and run the same command again";
    case EMFILE:
    case ENFILE:
      return "allow more open files (ulimit -n), or close other programs, and "
             "run the same command again";
    case EACCES:
    case EPERM:
    case EROFS:
      return "check the permissions of its folder";
    case ENOENT:
    case ENOTDIR:
      return "check that it exists and that you may read it";
    default:
      return "check the disk and run the same command again";
  }
}

// Whether it is a property of the file or the folder, and not of the machine.
inline bool IsOfTheFile(int error) {
  return error == EACCES || error == EPERM || error == EROFS ||
         error == ENOENT || error == ENOTDIR || error == EISDIR ||
         error == ELOOP || error == ENAMETOOLONG || error == EEXIST;
}

// Throws "WHAT (the errno's text); remedy", as a MachineError where it is one.
[[noreturn]] inline void ThrowSystemError(const std::string& what, int error) {
  const std::string problem = what + " (" + std::strerror(error) + ")";
  if (IsOfTheFile(error)) throw UserError(problem, RemedyFor(error));
  throw MachineError(problem, RemedyFor(error));
}

[[noreturn]] inline void ThrowReadError(const std::filesystem::path& path,
                                        int error) {
  ThrowSystemError("cannot read " + path.string(), error);
}

[[noreturn]] inline void ThrowWriteError(const std::filesystem::path& path,
                                         int error) {
  const std::string what = "cannot write " + path.string();
  if (error == ENOENT || error == ENOTDIR) {
    throw UserError(what + " (" + std::strerror(error) + ")",
                    "choose a folder you may write to");
  }
  ThrowSystemError(what, error);
}

// Whether memory ran out. OpenCV, LibTorch and those that hand bad_alloc on as
// text have words of their own for it.
inline bool IsOutOfMemory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return true;
  const std::string what = error.what();
  for (const char* words : {"Insufficient memory",
                            "can't allocate memory",
                            "out of memory",
                            "bad_alloc"}) {
    if (what.find(words) != std::string::npos) return true;
  }
  return false;
}

}  // namespace nerfpipe
