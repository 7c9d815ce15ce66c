#pragma once

// A pipeline of five small stages, for tests of what the engine makes of
// changes, failures and kills:
//
//   @capture -> cut -> frames ---> solve -> images -> train -> train/METHOD
//                        |           ^        |                     |
//                        +-> look ---+        +--> sparse/0 -> render ->
//                        renders
//
// Each makes its outputs from parts, one after the other, and keeps finished
// parts in its scratch folder as long stages do. Every part tells the options
// and inputs it was made from, so that parts of other ones show.

#include "pipeline/engine/stage.h"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace nerfpipe {

// Files by path, relative to a folder; "" is the path of a file itself.
using FileTree = std::map<std::string, std::string>;

// What is in the folder, or the file.
FileTree ReadTree(const std::filesystem::path& path);

// Everything in a workspace that a user sees: outside .nerfpipe, and without
// summary.json, which tells times.
FileTree VisibleFiles(const std::filesystem::path& root);

struct ToyOptions {
  int count = 2;  // frames
  int speed = 0;  // changes no result
  std::string mark = "m";
  int level = 0;  // of `look`: its output is the same at each level
  int seed = 0;
  std::string method = "x";
  int x_steps = 2;  // each counts with its method alone
  int y_steps = 3;
  int scale = 1;

  bool operator==(const ToyOptions&) const = default;
};

// What the stages do, as plain functions of the options: for the stages, and
// for those who foretell what they must leave.
namespace toy {

extern const std::vector<std::string> kStages;

std::vector<std::string> Inputs(const std::string& stage,
                                const ToyOptions& options);
std::vector<std::string> Outputs(const std::string& stage,
                                 const ToyOptions& options);
// The options that can change the result, by full name.
std::map<std::string, std::string> Effective(const std::string& stage,
                                             const ToyOptions& options);
int PartCount(const std::string& stage, const ToyOptions& options);
std::string Part(const std::string& stage,
                 const ToyOptions& options,
                 const std::map<std::string, FileTree>& inputs,
                 int index);
// Files below the workspace, made from the parts.
FileTree Files(const std::string& stage,
               const ToyOptions& options,
               const std::vector<std::string>& parts);

}  // namespace toy

// What happens while a stage is at one of its parts.
struct Disturbance {
  enum class Kind { kNone, kFailure, kUserError, kInterrupt } kind{};
  std::string stage;
  int part = 0;
};

// The five stages. They note what they do in a file: "begin STAGE",
// "part STAGE INDEX" when one was made, "end STAGE".
struct ToyPipeline {
  explicit ToyPipeline(std::filesystem::path notes);
  ~ToyPipeline();
  std::vector<Stage*> Stages() const;
  // Lines of the notes.
  std::vector<std::string> Notes() const;

  ToyOptions options;
  int version = 1;  // of `train`
  Disturbance disturbance;
  std::filesystem::path notes;

 private:
  std::vector<std::unique_ptr<Stage>> stages_;
};

}  // namespace nerfpipe
