#pragma once

// How a stage speaks to the person in front of the screen. Libraries get a
// Report and never print on their own.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nerfpipe {

// Rows of text under a header line; columns are aligned by the printer:
// numbers right, words left.
struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};

// One line of progress for long work. Update() may be called often and from
// any thread: what reaches the screen is limited by the implementation.
class Progress {
 public:
  virtual ~Progress() = default;
  // `done` of the announced total; `note` is a short figure such as
  // "psnr 24.1" that stands at the end of the line.
  virtual void Update(int64_t done, std::string_view note = {}) = 0;
};

class Report {
 public:
  virtual ~Report() = default;
  // A sentence worth reading.
  virtual void Info(std::string_view line) = 0;
  // Something that may spoil the result, and what to do about it.
  virtual void Warn(std::string_view line) = 0;
  // Only for the log file (and the screen with --verbose).
  virtual void Detail(std::string_view line) = 0;
  virtual void Show(const Table& table) = 0;
  // Progress over `total` units named `unit` ("frames", "steps"), shown with
  // an ETA until the returned object is destroyed.
  virtual std::unique_ptr<Progress> Start(std::string_view what,
                                          int64_t total,
                                          std::string_view unit) = 0;
};

// A report that swallows everything, for tests and benchmarks.
Report& SilentReport();

}  // namespace nerfpipe
