// After a power cut at any moment a record must tell of outputs that are on the
// disk. What has reached it hangs on the order of calls.

#include "pipeline/base/atomic_file.h"
#include "tests/preload/recorded_run.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

class CommitDurability : public ::testing::Test {
 protected:
  RecordedRun CommitRecorded() {
    const RecordedRun run = RunRecorded(
        {NERFPIPE_WRITER, "commit", root_, folder_.path()}, folder_.path());
    EXPECT_EQ(run.exit_code, 0) << run.output;
    return run;
  }
  // The first rename that leads to `target`.
  static size_t RenameTo(const RecordedRun& run, const fs::path& target) {
    const auto found = std::find_if(
        run.calls.begin(), run.calls.end(), [&](const FileCall& call) {
          return call.name == "rename" && call.second == target;
        });
    return static_cast<size_t>(found - run.calls.begin());
  }

  TemporaryFolder folder_;
  fs::path root_ = folder_ / "w";
  fs::path tmp_ = root_ / ".nerfpipe/tmp/toy";
  const std::vector<std::string> outputs_ = {"images", "train/toy", "one.txt"};
};

// The journal is written when every output is on the disk; the outputs are
// moved when the journal is; the record is written when the moves are; the
// journal is cleared away when the record is.
TEST_F(CommitDurability, EachStepIsOnDiskBeforeTheNext) {
  const RecordedRun run = CommitRecorded();
  const size_t none = run.calls.size();
  const size_t journal = RenameTo(run, tmp_ / "manifest.json");
  const size_t record = RenameTo(run, root_ / ".nerfpipe/toy.json");
  ASSERT_LT(journal, record);
  ASSERT_LT(record, none);

  size_t written = 0;
  for (size_t i = 0; i < journal; ++i) {
    const bool changes = run.calls[i].name != "open" &&
                         run.calls[i].name != "close" &&
                         run.calls[i].name != "syncfs";
    if (changes && run.calls[i].path.rfind(tmp_ / "out/", 0) == 0) {
      written = i;
    }
  }
  ASSERT_GT(written, 0u);
  size_t flushed = none;
  for (size_t i = written; i < journal && flushed == none; ++i) {
    flushed =
        run.calls[i].name == "syncfs" && run.calls[i].error == 0 ? i : none;
  }
  EXPECT_LT(flushed, journal) << "outputs are not flushed";
  const size_t journal_named = run.First("fsync", tmp_, {}, journal);

  for (const std::string& output : outputs_) {
    const size_t moved =
        run.First("rename", tmp_ / "out" / output, root_ / output);
    EXPECT_LT(journal_named, moved) << output;
    ASSERT_LT(moved, record) << output;
    for (fs::path folder = (root_ / output).parent_path();
         folder != folder_.path();
         folder = folder.parent_path()) {
      EXPECT_LT(run.First("fsync", folder, {}, moved), record)
          << output << " in " << folder;
    }
  }

  const size_t record_named =
      run.First("fsync", root_ / ".nerfpipe", {}, record);
  ASSERT_LT(record_named, none);
  const size_t key_gone = run.First("unlink", tmp_ / "key");
  EXPECT_LT(record_named, key_gone);
  EXPECT_LT(key_gone, none);
}

// Without the key nobody goes on from what is half deleted.
TEST_F(CommitDurability, KeyIsTheFirstToGo) {
  const RecordedRun run = CommitRecorded();
  const size_t record = RenameTo(run, root_ / ".nerfpipe/toy.json");
  for (size_t i = record; i < run.calls.size(); ++i) {
    if (run.calls[i].name == "unlink") {
      EXPECT_EQ(run.calls[i].path, tmp_ / "key");
      break;
    }
  }
}

TEST_F(CommitDurability, WhatTheUserAlteredIsOnDiskToo) {
  CommitRecorded();
  std::ofstream(root_ / "one.txt") << "of the user";
  const RecordedRun run = CommitRecorded();
  const fs::path saved = root_ / ".nerfpipe/saved/1";
  const size_t record = RenameTo(run, root_ / ".nerfpipe/toy.json");
  const size_t kept = run.First("rename", root_ / "one.txt", saved / "one.txt");
  ASSERT_LT(kept, record);
  for (const fs::path& folder :
       {saved, saved.parent_path(), saved.parent_path().parent_path()}) {
    EXPECT_LT(run.First("fsync", folder, {}, kept), record) << folder;
  }
}

// A disk that breaks while outputs are flushed must not be called done.
TEST_F(CommitDurability, OutputsThatCannotBeFlushedAreNotCommitted) {
  const RecordedRun run =
      RunRecorded({NERFPIPE_WRITER, "commit", root_, folder_.path()},
                  folder_.path(),
                  "syncfs:1:28");
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.output.find("free some disk space"), std::string::npos)
      << run.output;
  EXPECT_FALSE(fs::exists(root_ / "one.txt"));
  EXPECT_FALSE(fs::exists(root_ / ".nerfpipe/toy.json"));
  EXPECT_FALSE(fs::exists(tmp_ / "manifest.json"));
}

}  // namespace
}  // namespace nerfpipe
