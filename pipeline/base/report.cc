#include "pipeline/base/report.h"

namespace nerfpipe {
namespace {

class SilentProgress : public Progress {
 public:
  void Update(int64_t, std::string_view) override {}
};

class Silent : public Report {
 public:
  void Info(std::string_view) override {}
  void Warn(std::string_view) override {}
  void Detail(std::string_view) override {}
  void Show(const Table&) override {}
  std::unique_ptr<Progress> Start(std::string_view,
                                  int64_t,
                                  std::string_view) override {
    return std::make_unique<SilentProgress>();
  }
};

}  // namespace

Report& SilentReport() {
  static Silent report;
  return report;
}

}  // namespace nerfpipe
