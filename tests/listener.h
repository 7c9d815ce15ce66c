#pragma once

// A report that keeps the warnings.

#include "pipeline/base/report.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nerfpipe {

class Listener : public Report {
 public:
  void Info(std::string_view) override {}
  void Warn(std::string_view line) override { warnings.emplace_back(line); }
  void Detail(std::string_view) override {}
  void Show(const Table&) override {}
  std::unique_ptr<Progress> Start(std::string_view what,
                                  int64_t total,
                                  std::string_view unit) override {
    return SilentReport().Start(what, total, unit);
  }

  std::vector<std::string> warnings;
};

}  // namespace nerfpipe
