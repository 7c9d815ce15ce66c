// What is left after a power cut hangs on the order of calls: the tests look at
// the record of them.

#include "pipeline/base/atomic_file.h"
#include "tests/preload/recorded_run.h"
#include "tests/temporary_folder.h"

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

TEST(Durability, FileIsOnDiskBeforeItAppears) {
  const TemporaryFolder folder;
  WriteFileAtomically(folder / "a.txt", "old");
  const fs::path target = folder / "a.txt";
  const RecordedRun run = RunRecorded(
      {NERFPIPE_WRITER, "file", target, std::string(100'000, 'x')}, folder);
  ASSERT_EQ(run.exit_code, 0) << run.output;
  const size_t none = run.calls.size();

  fs::path temporary;
  for (const FileCall& call : run.calls) {
    if (call.name == "rename" && call.second == target) {
      temporary = call.path;
    }
  }
  ASSERT_EQ(temporary.parent_path(), folder.path());
  const size_t written = run.Last("write", temporary);
  const size_t synced = run.Last("fsync", temporary);
  const size_t renamed = run.First("rename", temporary, target);
  const size_t named = run.First("fsync", folder.path(), {}, renamed);
  EXPECT_LT(written, synced);
  EXPECT_LT(synced, renamed);
  EXPECT_LT(renamed, named);
  EXPECT_LT(named, none);
  // Nothing else touches the file that others may be reading.
  EXPECT_EQ(run.First("create", target), none);
  EXPECT_EQ(run.First("unlink", target), none);
}

}  // namespace
}  // namespace nerfpipe
