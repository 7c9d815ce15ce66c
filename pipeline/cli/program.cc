#include "pipeline/cli/program.h"

#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/json_text.h"
#include "pipeline/base/library_errors.h"
#include "pipeline/base/system_call.h"
#include "pipeline/base/text.h"
#include "pipeline/cli/commands.h"
#include "pipeline/engine/isolated.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <iostream>
#include <optional>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace nerfpipe {
namespace {

int Code(ExitCode code) { return static_cast<int>(code); }

int Fail(const CommonFlags& flags,
         const std::string& problem,
         const std::string& remedy,
         ExitCode code) {
  std::cerr << "nerfpipe: " << problem << "; " << remedy << std::endl;
  if (flags.json) {
    const nlohmann::ordered_json json = {
        {"error", {{"problem", problem}, {"remedy", remedy}}}};
    std::cout << JsonForPeople(json, 2) << std::endl;
  }
  return Code(code);
}

int Guarded(const CommonFlags& flags, const std::function<int()>& body) {
  const char* const report =
      "this is a bug: please report it with the .nerfpipe/logs of the "
      "workspace";
  try {
    return body();
  } catch (const Interrupted&) {
    std::cerr << "nerfpipe: stopped; the same command goes on from here"
              << std::endl;
    return Code(ExitCode::kInterrupted);
  } catch (const std::exception& error) {
    if (const std::optional<UserError> told = AsUserError(error)) {
      return Fail(flags, told->problem(), told->remedy(), told->exit_code());
    }
    const std::string what = error.what();
    return Fail(flags,
                "internal error: " + what.substr(0, what.find('\n')),
                report,
                ExitCode::kFailed);
  }
}

int code_for_memory = Code(ExitCode::kFailed);

// Of what nobody could catch: nothing passes the border of a parallel region.
[[noreturn]] void EndUncaught() {
  try {
    if (const auto thrown = std::current_exception()) {
      std::rethrow_exception(thrown);
    }
  } catch (const std::exception& error) {
    if (const std::optional<UserError> told = AsUserError(error)) {
      std::cerr << "nerfpipe: " << told->what() << std::endl;
      _exit(IsOutOfMemory(error) ? code_for_memory : Code(ExitCode::kFailed));
    }
  } catch (...) {
    std::cerr << "nerfpipe: an unknown exception" << std::endl;
  }
  std::abort();
}

// nerfpipe --isolated-stage NAME WORKSPACE PARENT MEMORY FLAGS...: the child
// process of an isolated stage. Started by the runner, never by a person.
int IsolatedStage(const std::vector<std::string>& arguments) {
  code_for_memory = kNoMemory;
  try {
    const CommonFlags flags =
        FlagsOfStage({arguments.begin() + 4, arguments.end()});
    // The console must keep the screen when the standard streams go to a log.
    const int screen = dup(2);
    Session session(flags);
    Console console(screen, {flags.quiet, flags.verbose});
    const Workspace workspace = Workspace::Open(arguments.at(1));
    session.Resolve(std::nullopt);
    console.LogTo(workspace.LogPath("nerfpipe"));
    return RunAsChild(std::stoi(arguments.at(2)),
                      workspace,
                      session.StageNamed(arguments.at(0)),
                      session.machine(),
                      std::stoll(arguments.at(3)),
                      console);
  } catch (const Interrupted&) {
    throw;
  } catch (const std::exception& error) {
    return HandOverError(arguments.at(1), arguments.at(0), error);
  }
}

void CheckCommandName(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') {
    return;
  }
  const std::string word = argv[1];
  std::vector<std::string> names;
  for (const Command& command : Commands()) {
    names.push_back(command.name);
  }
  if (std::find(names.begin(), names.end(), word) == names.end()) {
    throw UserError("there is no command '" + word + "'" +
                        (std::filesystem::exists(word)
                             ? ", did you mean 'nerfpipe run " + word + "'?"
                             : DidYouMean(word, names)),
                    "'nerfpipe --help' lists the commands",
                    ExitCode::kUsage);
  }
}

int Dispatch(int argc, char** argv, CommonFlags* flags) {
  CheckCommandName(argc, argv);
  CLI::App app("From a video or photos to a trained NeRF and an MP4.",
               "nerfpipe");
  app.footer(
      "Examples:\n"
      "  nerfpipe run car.mp4             video in, car/ out; run again: "
      "nothing to do\n"
      "  nerfpipe run photos/             a folder of photos is as good\n"
      "  nerfpipe status -w car           what is done, what is stale, and "
      "why\n"
      "  nerfpipe COMMAND --help          flags and examples of a command");
  app.set_version_flag("--version", "nerfpipe " NERFPIPE_VERSION);
  app.require_subcommand(1);
  std::vector<std::pair<CLI::App*, std::function<int(const CommonFlags&)>>>
      commands;
  for (const Command& command : Commands()) {
    CLI::App* const sub = app.add_subcommand(command.name, command.description);
    commands.emplace_back(sub, command.declare(*sub));
    DeclareCommonFlags(*sub, flags);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      return app.exit(error);  // --help and --version
    }
    if (argc < 2) {
      std::cout << app.help();
      return Code(ExitCode::kUsage);
    }
    throw UserError(error.what(),
                    std::string("'nerfpipe ") +
                        (argv[1][0] == '-' ? "" : std::string(argv[1]) + " ") +
                        "--help' shows how it is used",
                    ExitCode::kUsage);
  }
  for (const auto& [sub, run] : commands) {
    if (sub->parsed()) {
      return run(*flags);
    }
  }
  return Code(ExitCode::kUsage);
}

}  // namespace

const std::vector<Command>& Commands() {
  static const std::vector<Command> commands = {
      {"run", "The whole pipeline, from a capture to an MP4", DeclareRun},
      {"check", "A report card of a capture, in seconds", DeclareCheck},
      {"stage", "One stage again, in an existing workspace", DeclareStage},
      {"status", "What is done, what is stale, and why", DeclareStatus},
      {"batch", "Every capture in a folder, one after the other", DeclareBatch},
      {"train", "Train on an existing data set", DeclareTrain},
      {"render", "More views of a trained scene", DeclareRender},
      {"eval", "Score a trained scene on its held-out views", DeclareEval},
      {"export",
       "Write a trained scene for viewers and editors",
       DeclareExport},
      {"config", "Every option: value, origin, meaning", DeclareConfig},
      {"clean", "What can be made again: list it, or free it", DeclareClean},
  };
  return commands;
}

int Program(int argc, char** argv) {
  CatchInterrupts();
  std::set_terminate(EndUncaught);
  CommonFlags flags;
  return Guarded(flags, [&] {
    if (argc >= 6 && std::string(argv[1]) == "--isolated-stage") {
      return IsolatedStage({argv + 2, argv + argc});
    }
    const int code = Dispatch(argc, argv, &flags);
    if (!std::cout.flush()) {
      // Once more, to learn why.
      std::cout.clear();
      errno = 0;
      std::cout << '\n' << std::flush;
      ThrowSystemError("cannot write all of the output",
                       errno != 0 ? errno : EIO);
    }
    return code;
  });
}

}  // namespace nerfpipe
