// The main function of all test programs: runs cases itself, or serves them to
// run_case.

#include "tests/case_server/protocol.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace nerfpipe {
namespace {

constexpr int kIdleMilliseconds = 10'000;

struct Case {
  std::string text;  // owns what the others point to
  std::vector<char*> arguments;
  std::vector<char*> variables;
};

bool Receive(int connection, Case* result) {
  CaseHeader header;
  int streams[3];
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof streams)];
  iovec data = {&header, sizeof header};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC) != sizeof header) {
    return false;
  }
  const cmsghdr* attached = CMSG_FIRSTHDR(&message);
  if (attached == nullptr || attached->cmsg_len != CMSG_LEN(sizeof streams)) {
    return false;
  }
  result->text.resize(header.bytes);
  if (recv(connection, result->text.data(), header.bytes, MSG_WAITALL) !=
      static_cast<ssize_t>(header.bytes)) {
    return false;
  }
  std::memcpy(streams, CMSG_DATA(attached), sizeof streams);
  for (int stream = 0; stream < 3; ++stream) {
    dup2(streams[stream], stream);
    close(streams[stream]);
  }
  char* const begin = result->text.data();
  if (chdir(begin) != 0) return false;
  for (char* word = begin + std::strlen(begin) + 1; word < begin + header.bytes;
       word += std::strlen(word) + 1) {
    (result->arguments.size() < header.arguments ? result->arguments
                                                 : result->variables)
        .push_back(word);
  }
  result->arguments.push_back(nullptr);
  return true;
}

// Waits for the process; kills its group when the other side hangs up first.
int WaitFor(pid_t process, int connection) {
  // glibc 2.36 declares pidfd_open without C linkage.
  const int exit = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
  pollfd events[] = {{exit, POLLIN, 0}, {connection, POLLRDHUP, 0}};
  while (poll(events, 2, -1) < 0 && errno == EINTR) {
  }
  if (events[0].revents == 0) kill(-process, SIGKILL);
  int status = 0;
  waitpid(process, &status, 0);
  return status;
}

// Returns in the process of the case.
void Supervise(int connection, Case* result) {
  if (!Receive(connection, result)) _exit(1);
  const pid_t process = fork();
  if (process == 0) {
    setpgid(0, 0);
    close(connection);
    environ = nullptr;
    for (char* variable : result->variables) putenv(variable);
    return;
  }
  setpgid(process, process);
  const int status = WaitFor(process, connection);
  send(connection, &status, sizeof status, MSG_NOSIGNAL);
  _exit(0);
}

// Returns in the process of each case, with what it needs; the server's own
// ends here.
void Serve(int listener, Case* result) {
  unsetenv(kCaseSocket);
  signal(SIGCHLD, SIG_IGN);  // nobody waits for the supervisors
  pollfd event = {listener, POLLIN, 0};
  while (poll(&event, 1, kIdleMilliseconds) > 0) {
    const int connection = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    if (fork() == 0) {
      signal(SIGCHLD, SIG_DFL);
      close(listener);
      Supervise(connection, result);
      return;
    }
    close(connection);
  }
  _exit(0);
}

}  // namespace
}  // namespace nerfpipe

int main(int argc, char** argv) {
  nerfpipe::Case served;
  if (const char* socket = std::getenv(nerfpipe::kCaseSocket)) {
    nerfpipe::Serve(std::atoi(socket), &served);
    argc = static_cast<int>(served.arguments.size()) - 1;
    argv = served.arguments.data();
  }
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
