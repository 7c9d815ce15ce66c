// What the durability tests watch: writes files, and commits a stage.
//
//   writer file PATH TEXT      WriteFileAtomically
//   writer commit ROOT CAPTURE commits a stage "toy" with the outputs "images"
//                              (two files), "train/toy" (one) and "one.txt"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/engine/commit.h"
#include "pipeline/engine/tree_digest.h"

#include <fstream>
#include <iostream>
#include <string>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

void WritePlainly(const fs::path& path) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << "content of " << path.filename();
}

void CommitToy(const fs::path& root, const fs::path& capture) {
  const Workspace workspace = Workspace::OpenOrCreate(root, capture);
  PrepareUnfinished(workspace, "toy", "fingerprint");
  const fs::path unfinished = workspace.UnfinishedPath("toy");
  // So many that chance does not find the key first when all are deleted.
  for (int i = 0; i < 40; ++i) {
    WritePlainly(unfinished / ("part" + std::to_string(i)));
  }
  const fs::path out = unfinished / "out";
  WritePlainly(out / "images/1.jpg");
  WritePlainly(out / "images/2.jpg");
  WritePlainly(out / "train/toy/checkpoint");
  WritePlainly(out / "one.txt");
  Manifest manifest;
  manifest.stage = "toy";
  DigestCache digests({});
  for (const char* output : {"images", "train/toy", "one.txt"}) {
    const TreeDigest tree = digests.Digest(out / output).value();
    manifest.outputs[output] = {tree.digest, tree.files};
  }
  Commit(workspace, manifest, SilentReport());
}

int Main(const std::vector<std::string>& arguments) {
  if (arguments.at(0) == "file") {
    WriteFileAtomically(arguments.at(1), arguments.at(2));
  } else {
    CommitToy(arguments.at(1), arguments.at(2));
  }
  return 0;
}

}  // namespace
}  // namespace nerfpipe

int main(int argc, char** argv) {
  try {
    return nerfpipe::Main({argv + 1, argv + argc});
  } catch (const nerfpipe::UserError& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
