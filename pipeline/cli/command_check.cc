#include "pipeline/cli/commands.h"

#include <functional>
#include <memory>

#include <CLI/CLI.hpp>

namespace nerfpipe {

std::function<int(const CommonFlags&)> DeclareCheck(CLI::App& app) {
  const auto capture = std::make_shared<std::string>();
  app.add_option("CAPTURE", *capture, "A video, or a folder of photos");
  app.footer(
      "Examples:\n"
      "  nerfpipe check car.mp4\n"
      "  nerfpipe check photos/ -w car --json\n"
      "\n"
      "Takes seconds, and says what to film again before anything long is\n"
      "begun: a verdict for sharpness, light, overlap and movement, and a "
      "page\n"
      "with the frames concerned, whose path stands at the end. 'nerfpipe "
      "run'\n"
      "goes on from there.");
  return [capture](const CommonFlags& common) {
    return RunPipeline({*capture, "check", ""}, common);
  };
}

}  // namespace nerfpipe
