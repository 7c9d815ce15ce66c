#include "pipeline/cli/spare_files.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "tests/pipeline/engine/toy_workspace.h"

#include <gmock/gmock.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Writes `bytes` bytes.
void Fill(const fs::path& file, size_t bytes) {
  fs::create_directories(file.parent_path());
  WriteFileAtomically(file, std::string(bytes, '.'));
}

int64_t Size(const fs::path& folder) {
  int64_t bytes = 0;
  for (const auto& [path, content] : ReadTree(folder)) {
    bytes += static_cast<int64_t>(content.size());
  }
  return bytes;
}

class SpareFilesTest : public ToyWorkspace {
 protected:
  using Kind = SpareFiles::Kind;

  std::vector<SpareFiles> Find(const SpareRules& rules = {}) {
    return FindSpareFiles(
        workspace_, toy_.Stages(), MakeRunner().Status(), rules);
  }
  void RemoveAll(const std::vector<SpareFiles>& found) {
    for (const SpareFiles& files : found) RemoveSpareFiles(workspace_, files);
  }
  bool Exists(const std::string& path) const {
    return fs::exists(root_ / path);
  }
};

TEST_F(SpareFilesTest, NothingOfANewOrAFinishedWorkspace) {
  EXPECT_THAT(Find(), IsEmpty());
  Run();
  EXPECT_THAT(Find(), IsEmpty());
}

TEST_F(SpareFilesTest, WorkOfAStageThatWasInterrupted) {
  RunInterrupted("solve", 2);
  const fs::path folder = root_ / ".nerfpipe/tmp/solve";
  const std::vector<SpareFiles> found = Find();
  EXPECT_THAT(
      found,
      ElementsAre(SpareFiles{
          Kind::kUnfinished, ".nerfpipe/tmp/solve", "solve", Size(folder)}));
  const auto visible = Visible();
  RemoveAll(found);
  EXPECT_FALSE(fs::exists(folder));
  EXPECT_EQ(Visible(), visible);
  EXPECT_THAT(Find(), IsEmpty());
  EXPECT_THAT(Status(),
              ElementsAre("cut done",
                          "look done",
                          "solve stale: never run",
                          "train waiting: after solve",
                          "render waiting: after solve"));
  Run();
  EXPECT_EQ(Notes().front(), "begin solve");
  EXPECT_EQ(Notes()[1], "part solve 0") << "from its beginning";
  EXPECT_EQ(Visible(), Fresh());
}

// Why it failed is still told.
TEST_F(SpareFilesTest, WorkOfAStageThatFailed) {
  toy_.disturbance = {Disturbance::Kind::kFailure, "solve", 1};
  Run();
  const std::vector<std::string> status = Status();
  const fs::path folder = root_ / ".nerfpipe/tmp/solve";
  const auto failure = static_cast<int64_t>(fs::file_size(folder / "failure"));
  const std::vector<SpareFiles> found = Find();
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].bytes, Size(folder) - failure);
  RemoveAll(found);
  EXPECT_THAT(ReadTree(folder), ElementsAre(::testing::Key("failure")));
  EXPECT_EQ(Status(), status);
  EXPECT_THAT(Find(), IsEmpty());
}

// Of `nerfpipe train` and `render`, which leave theirs beside tmp/, and of a
// `clean` that was killed.
TEST_F(SpareFilesTest, WorkOfCommands) {
  Fill(root_ / ".nerfpipe/train-x/key", 5);
  Fill(root_ / ".nerfpipe/train-x/work/checkpoint.pt", 1000);
  Fill(root_ / ".nerfpipe/render-orbit/work/0.png", 7);  // no key: not known
  Fill(root_ / ".nerfpipe/tmp/clean/old/1.jpg", 30);
  const std::vector<SpareFiles> found = Find();
  EXPECT_THAT(
      found,
      ElementsAre(
          SpareFiles{Kind::kUnfinished, ".nerfpipe/tmp/clean", "", 30},
          SpareFiles{Kind::kUnfinished, ".nerfpipe/train-x", "", 1005}));
  RemoveAll(found);
  EXPECT_FALSE(Exists(".nerfpipe/train-x"));
  EXPECT_FALSE(Exists(".nerfpipe/tmp/clean"));
  EXPECT_TRUE(Exists(".nerfpipe/render-orbit/work/0.png"));
}

// They only have to be moved into place.
TEST_F(SpareFilesTest, OutputsThatAreCompleteAreNotUnfinished) {
  Run();
  const fs::path unfinished = root_ / ".nerfpipe/tmp/cut";
  fs::create_directories(unfinished / "out");
  fs::rename(root_ / "frames", unfinished / "out/frames");
  fs::rename(root_ / ".nerfpipe/cut.json", unfinished / "manifest.json");
  EXPECT_THAT(Find(), IsEmpty());
  Run();
  EXPECT_THAT(Notes(), IsEmpty());
}

TEST_F(SpareFilesTest, PicturesOfEvalThatTrainingScoredToo) {
  Run();
  Fill(root_ / "train/x/test/1.png", 10);
  Fill(root_ / "eval/x/1.png", 20);
  Fill(root_ / "eval/x/mine.png", 40);
  Fill(root_ / "eval/z/1.png", 80);
  const std::vector<SpareFiles> found = Find();
  EXPECT_THAT(found, ElementsAre(SpareFiles{Kind::kScored, "eval/x", "", 20}));
  RemoveAll(found);
  EXPECT_FALSE(Exists("eval/x/1.png"));
  EXPECT_TRUE(Exists("eval/x/mine.png"));
  EXPECT_TRUE(Exists("eval/z/1.png"));
  fs::remove_all(root_ / "eval/z");
  fs::remove(root_ / "eval/x/mine.png");
  Fill(root_ / "eval/x/1.png", 20);
  RemoveAll(Find());
  EXPECT_FALSE(Exists("eval"));
}

TEST_F(SpareFilesTest, WhatSomebodyAlteredIsSaved) {
  Run();
  WriteFileAtomically(root_ / "frames/0", "mine");
  Run();
  const std::vector<SpareFiles> found = Find();
  EXPECT_THAT(found,
              ElementsAre(SpareFiles{Kind::kSaved,
                                     ".nerfpipe/saved",
                                     "",
                                     Size(root_ / ".nerfpipe/saved")}));
  EXPECT_THAT(Status(), ::testing::Each(::testing::EndsWith(" done")));
  RemoveAll(found);
  EXPECT_FALSE(Exists(".nerfpipe/saved"));
  EXPECT_THAT(Status(), ::testing::Each(::testing::EndsWith(" done")));
}

TEST_F(SpareFilesTest, FoldersOfQuickStages) {
  Run();
  const SpareRules quick = {{"cut"}, {}};
  const auto visible = Visible();
  const std::vector<SpareFiles> found = Find(quick);
  EXPECT_THAT(found,
              ElementsAre(SpareFiles{
                  Kind::kQuick, "frames", "cut", Size(root_ / "frames")}));
  EXPECT_THAT(Find({{"cut"}, {"frames"}}), IsEmpty()) << "a result needs it";
  RemoveAll(found);
  EXPECT_FALSE(Exists("frames"));
  // Nothing but that is done again.
  Run();
  EXPECT_THAT(Notes(),
              ElementsAre("begin cut", "part cut 0", "part cut 1", "end cut"));
  EXPECT_EQ(Visible(), visible);

  toy_.options.mark = "n";  // `look`, which reads them, has yet to run
  EXPECT_THAT(Find(quick), IsEmpty());
  toy_.options.mark = "m";
  toy_.options.count = 3;  // what made them no longer holds
  EXPECT_THAT(Find(quick), IsEmpty());
}

// A link is somebody's arrangement.
TEST_F(SpareFilesTest, LinksStay) {
  Run();
  Fill(folder_ / "elsewhere/0", 100);
  fs::create_directory_symlink(folder_ / "elsewhere",
                               root_ / ".nerfpipe/tmp/link");
  fs::rename(root_ / "frames", folder_ / "frames");
  fs::create_directory_symlink(folder_ / "frames", root_ / "frames");
  EXPECT_THAT(Find({{"cut"}, {}}), IsEmpty());
}

// One folder for each number of an option; one of them is read.
class Halves : public Stage {
 public:
  std::string Name() const override { return "halves"; }
  int Version() const override { return 1; }
  std::string Description() const override { return "smaller copies"; }
  std::vector<std::string> Inputs() const override { return {kCaptureInput}; }
  std::vector<std::string> Outputs() const override {
    std::vector<std::string> outputs;
    for (const char number : numbers) {
      outputs.push_back(std::string("images_") + number);
    }
    outputs.push_back(std::string("train/") + numbers.front());
    return outputs;
  }
  std::vector<OptionGroup> Options() override {
    OptionGroup group("halves");
    group.Text("numbers", &numbers, "a folder for each digit");
    return {group};
  }
  StageResult Run(const StageContext& context) override {
    for (const std::string& output : Outputs()) {
      Fill(context.out / output / "1.jpg", 8);
    }
    return StageResult::Done("");
  }

  std::string numbers = "248";
};

class Reader : public Stage {
 public:
  std::string Name() const override { return "reader"; }
  int Version() const override { return 1; }
  std::string Description() const override { return "reads one of them"; }
  std::vector<std::string> Inputs() const override { return {"images_4"}; }
  std::vector<std::string> Outputs() const override { return {"read"}; }
  std::vector<OptionGroup> Options() override { return {}; }
  StageResult Run(const StageContext& context) override {
    Fill(context.out / "read", 1);
    return StageResult::Done("");
  }
};

TEST_F(SpareFilesTest, FoldersThatNoOptionAsksForAnyMore) {
  Halves halves;
  Reader reader;
  const std::vector<Stage*> stages = {&halves, &reader};
  Runner runner(workspace_, stages, {}, {}, SilentReport());
  const auto find = [&](const SpareRules& rules) {
    return FindSpareFiles(workspace_, stages, runner.Status(), rules);
  };
  runner.RunUntil("");
  EXPECT_THAT(find({}), IsEmpty());

  // The options that were run with still hold as long as it did not run.
  halves.numbers = "3";
  EXPECT_THAT(find({}), IsEmpty());
  runner.RunUntil("halves");
  const SpareFiles images_2 = {Kind::kUnused, "images_2", "halves", 8};
  const SpareFiles images_8 = {Kind::kUnused, "images_8", "halves", 8};
  EXPECT_THAT(find({}), ElementsAre(images_2, images_8));
  EXPECT_THAT(find({{}, {"images_8"}}), ElementsAre(images_2));
  WriteFileAtomically(root_ / "images_8/1.jpg", "mine");
  EXPECT_THAT(find({}), ElementsAre(images_2));

  RemoveAll(find({}));
  EXPECT_FALSE(Exists("images_2"));
  for (const char* left : {"images_3", "images_4", "images_8", "train/2"}) {
    EXPECT_TRUE(Exists(left)) << left;
  }
  EXPECT_EQ(runner.RunUntil("").stages_run, 0);
}

}  // namespace
}  // namespace nerfpipe
