#include "stages/nerf/methods.h"

#include "pipeline/base/error.h"
#include "stages/nerf/nerf_method.h"
#include "stages/nerf/ngp_method.h"
#include "stages/nerf/ngp_settings.h"

namespace nerfpipe::nerf {
namespace {

template <typename M>
std::unique_ptr<Method> Make(const MethodContext& context) {
  return std::make_unique<M>(context);
}

}  // namespace

const std::vector<MethodEntry>& Methods() {
  static const std::vector<MethodEntry> table = {
      {"ngp", 8000, kNgpStepsPerSecond, &SettleNgp, &Make<NgpMethod>},
      {"nerf", 200000, 0.2, nullptr, &Make<NerfMethod>},
  };
  return table;
}

const MethodEntry& FindMethod(const std::string& name) {
  std::string names;
  for (const MethodEntry& entry : Methods()) {
    if (entry.name == name) {
      return entry;
    }
    names += (names.empty() ? "" : ", ") + entry.name;
  }
  throw UserError("there is no method '" + name + "'",
                  "set train.method to one of: " + names);
}

}  // namespace nerfpipe::nerf
