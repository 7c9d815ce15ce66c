// run_case PROGRAM ARGUMENT...: runs a test program as if it were called so.
//
// Loading LibTorch takes half a second, and each case has a ctest entry of its
// own. So PROGRAM is loaded once, as a server that forks a process for each
// case; it is started here when there is none, and ends when it is idle.
// Streams, folder, environment and exit status are those of this process; when
// it is killed, so is the case.

#include "tests/case_server/protocol.h"

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace nerfpipe {
namespace {

// In the abstract name space: no file is left. A program that was built anew
// has a new name.
struct Address {
  explicit Address(const struct stat& program) {
    socket.sun_family = AF_UNIX;
    const int length =
        std::snprintf(socket.sun_path + 1,
                      sizeof socket.sun_path - 1,
                      "nerfpipe-cases-%u-%lx-%lx-%lx.%lx",
                      getuid(),
                      static_cast<unsigned long>(program.st_dev),
                      static_cast<unsigned long>(program.st_ino),
                      static_cast<unsigned long>(program.st_mtim.tv_sec),
                      static_cast<unsigned long>(program.st_mtim.tv_nsec));
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 +
                                  static_cast<size_t>(length));
  }

  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&socket);
  }

  sockaddr_un socket = {};
  socklen_t size = 0;
};

int NewSocket() { return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }

// Of several that try at once one is the first: the name is taken only once,
// and connections wait until the server has been loaded.
void StartServer(const Address& address, char** arguments) {
  const int listener = NewSocket();
  if (bind(listener, address.get(), address.size) != 0 ||
      listen(listener, SOMAXCONN) != 0 || fork() != 0) {
    close(listener);
    return;
  }
  setsid();
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int stream = 0; stream < 3; ++stream) dup2(null, stream);
  const int kept = dup(listener);  // across exec
  setenv(kCaseSocket, std::to_string(kept).c_str(), 1);
  char* const program[] = {arguments[0], nullptr};
  execv(program[0], program);
  _exit(127);
}

bool SendCase(int connection, char** arguments) {
  std::string text;
  const auto add = [&text](const char* word) {
    text.append(word, std::strlen(word) + 1);
  };
  char* folder = getcwd(nullptr, 0);
  add(folder);
  std::free(folder);
  CaseHeader header;
  for (; *arguments != nullptr; ++arguments) {
    add(*arguments);
    ++header.arguments;
  }
  for (char** variable = environ; *variable != nullptr; ++variable) {
    add(*variable);
  }
  header.bytes = static_cast<unsigned>(text.size());

  const int streams[] = {0, 1, 2};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof streams)] = {};
  iovec data = {&header, sizeof header};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* attached = CMSG_FIRSTHDR(&message);
  attached->cmsg_level = SOL_SOCKET;
  attached->cmsg_type = SCM_RIGHTS;
  attached->cmsg_len = CMSG_LEN(sizeof streams);
  std::memcpy(CMSG_DATA(attached), streams, sizeof streams);
  if (sendmsg(connection, &message, MSG_NOSIGNAL) != sizeof header) {
    return false;
  }
  for (size_t sent = 0; sent < text.size();) {
    const ssize_t count =
        send(connection, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return false;
    sent += static_cast<size_t>(count);
  }
  return true;
}

// Ends as the case did.
int End(int status) {
  if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  signal(WTERMSIG(status), SIG_DFL);
  raise(WTERMSIG(status));
  return 1;
}

int RunCase(char** arguments) {
  struct stat program;
  if (stat(arguments[0], &program) != 0) {
    std::perror(arguments[0]);
    return 1;
  }
  const Address address(program);
  // A server may end between its last look and our connection.
  for (int attempt = 0; attempt < 3; ++attempt) {
    const int connection = NewSocket();
    if (connect(connection, address.get(), address.size) != 0) {
      close(connection);
      StartServer(address, arguments);
      continue;
    }
    int status = 0;
    if (SendCase(connection, arguments) &&
        recv(connection, &status, sizeof status, MSG_WAITALL) ==
            sizeof status) {
      return End(status);
    }
    close(connection);
  }
  // The program's own words, when it cannot be loaded.
  execv(arguments[0], arguments);
  std::perror(arguments[0]);
  return 1;
}

}  // namespace
}  // namespace nerfpipe

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: run_case PROGRAM ARGUMENT...\n");
    return 2;
  }
  return nerfpipe::RunCase(argv + 1);
}
