#pragma once

// The Report that people see: quiet lines on a terminal or a pipe, and the
// same with more detail in a log file.

#include "pipeline/base/report.h"

#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace nerfpipe {

struct ConsoleOptions {
  bool quiet = false;    // only warnings
  bool verbose = false;  // details on the screen too
  // Seconds, for progress; empty: the system's clock (tests set it).
  std::function<double()> clock = {};
};

class Console : public Report {
 public:
  // Prints to the file descriptor (2 is the standard error stream). On a
  // terminal progress rewrites one line; elsewhere it is printed every half
  // minute at most.
  Console(int descriptor, ConsoleOptions options);
  ~Console() override;

  // Lines from now on are also appended, with the time, to this file.
  // Detail lines go there in any case.
  void LogTo(const std::filesystem::path& path);

  void Info(std::string_view line) override;
  void Warn(std::string_view line) override;
  void Detail(std::string_view line) override;
  void Show(const Table& table) override;
  std::unique_ptr<Progress> Start(std::string_view what,
                                  int64_t total,
                                  std::string_view unit) override;

  const ConsoleOptions& options() const { return options_; }

 private:
  class Line;

  void Print(std::string_view line);
  void Log(std::string_view kind, std::string_view line);

  struct Screen;
  std::shared_ptr<Screen> screen_;
  ConsoleOptions options_;
};

// Rows as text lines with aligned columns, two spaces apart: numbers to the
// right, words to the left.
std::string FormatTable(const Table& table);

}  // namespace nerfpipe
