#pragma once

// A report that keeps all that it is told.

#include "pipeline/base/report.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nerfpipe {

class Listener : public Report {
 public:
  void Info(std::string_view line) override { infos.emplace_back(line); }
  void Warn(std::string_view line) override { warnings.emplace_back(line); }
  void Detail(std::string_view line) override { details.emplace_back(line); }
  void Show(const Table& table) override { tables.push_back(table); }
  std::unique_ptr<Progress> Start(std::string_view what,
                                  int64_t total,
                                  std::string_view unit) override {
    started.push_back(std::string(what) + ", " + std::to_string(total) + " " +
                      std::string(unit));
    return SilentReport().Start(what, total, unit);
  }

  std::vector<std::string> infos;
  std::vector<std::string> warnings;
  std::vector<std::string> details;
  std::vector<Table> tables;
  std::vector<std::string> started;
};

}  // namespace nerfpipe
