#include "pipeline/base/error.h"
#include "pipeline/base/json_text.h"
#include "pipeline/base/text.h"
#include "pipeline/cli/commands.h"

#include <algorithm>
#include <cstdio>
#include <iostream>

#include <nlohmann/json.hpp>

namespace nerfpipe {
namespace {

Table StageTable(const nlohmann::ordered_json& summary) {
  Table table;
  table.header = {"stage", "state", "time", "memory"};
  for (const auto& [name, stage] : summary.at("stages").items()) {
    const bool ran = stage.contains("seconds");
    table.rows.push_back(
        {name,
         stage.at("state"),
         ran ? HumanDuration(stage.at("seconds")) : "-",
         ran ? HumanBytes(static_cast<int64_t>(
                   stage.at("peak_memory_mb").get<double>() * 1e6))
             : "-"});
  }
  return table;
}

std::string Figure(double value, int decimals) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.*f", decimals, value);
  return text;
}

// "31.85 dB PSNR, 0.913 SSIM at 952x536 (6000 steps)".
std::string TrainingText(const nlohmann::ordered_json& training) {
  return Figure(training.at("psnr"), 2) + " dB PSNR, " +
         Figure(training.at("ssim"), 3) + " SSIM at " +
         training.at("width").dump() + "x" + training.at("height").dump() +
         " (" + training.at("steps").dump() + " steps)";
}

// The lines a person looks for at the end: figures and paths.
void ShowResults(Console& console,
                 const std::filesystem::path& folder,
                 const nlohmann::ordered_json& summary) {
  Table table;
  const auto add = [&](const std::string& name, const std::string& text) {
    table.rows.push_back({name, text});
  };
  if (summary.contains("frames")) {
    const auto& frames = summary.at("frames");
    std::string text;
    for (const auto& [what, count] : frames.items()) {
      if (count.is_number_integer()) {
        text += (text.empty() ? "" : ", ") + count.dump() + " " + what;
      }
    }
    add("frames", text);
  }
  if (summary.contains("check")) {
    std::string concerns;
    for (const auto& item : summary.at("check").at("items")) {
      if (item.at("verdict") != "good") {
        concerns += (concerns.empty() ? " (" : ", ") +
                    item.at("item").get<std::string>();
      }
    }
    add("capture",
        summary.at("check").at("verdict").get<std::string>() + concerns +
            (concerns.empty() ? "" : ")"));
  }
  if (summary.contains("reconstruction")) {
    const auto& model = summary.at("reconstruction");
    const std::string verdict = model.value("verdict", "");
    add("cameras",
        (verdict.empty() ? "" : verdict + ", ") +
            model.value("points", nlohmann::ordered_json(0)).dump() +
            " points, reprojection error " +
            Figure(model.value("mean_reprojection_error_px", 0.0), 2) + " px");
  }
  if (summary.contains("training")) {
    for (const auto& [method, training] : summary.at("training").items()) {
      if (training.contains("psnr")) {
        add("held-out, " + method, TrainingText(training));
      }
    }
  }
  if (summary.contains("results")) {
    for (const auto& [what, path] : summary.at("results").items()) {
      if (path.is_string()) {
        std::string name = what;
        std::replace(name.begin(), name.end(), '_', ' ');
        add(name, ShownPath(folder / path.get<std::string>()));
      }
    }
  }
  console.Show(table);
}

int ShowFailure(Console& console, const StageResult& failure) {
  for (const std::string& line : failure.account) {
    console.Info("      " + line);
  }
  std::cerr << "nerfpipe: " << failure.line << std::endl;
  console.Detail("failed: " + failure.line);
  return static_cast<int>(ExitCode::kFailed);
}

}  // namespace

int ShowOutcome(Session& session,
                const Workspace& workspace,
                Runner& runner,
                const RunOutcome& outcome) {
  Console& console = session.console();
  const nlohmann::ordered_json summary = runner.Summary();
  if (session.flags().json) {
    std::cout << JsonForPeople(summary, 2) << std::endl;
  }
  if (!outcome.ok) {
    return ShowFailure(console, outcome.failure);
  }
  if (outcome.stages_run == 0) {
    console.Info("Nothing to do: " + ShownPath(workspace.root()) +
                 " is up to date.");
  } else {
    console.Info("");
    console.Show(StageTable(summary));
  }
  console.Info("");
  ShowResults(console, workspace.root(), summary);
  for (const std::string& line : outcome.without) {
    console.Warn(line);
  }
  console.Info("  all figures: " + ShownPath(workspace.SummaryPath()));
  return static_cast<int>(ExitCode::kDone);
}

int ShowResult(Session& session,
               const std::filesystem::path& folder,
               const StageResult& result) {
  if (session.flags().json) {
    std::cout << JsonForPeople(result.facts, 2) << std::endl;
  }
  if (result.state == StageResult::State::kFailed) {
    return ShowFailure(session.console(), result);
  }
  session.console().Info(result.line);
  session.console().Info("");
  ShowResults(session.console(), folder, result.facts);
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace nerfpipe
