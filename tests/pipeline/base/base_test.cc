#include "pipeline/base/atomic_file.h"
#include "pipeline/base/child_process.h"
#include "pipeline/base/console.h"
#include "pipeline/base/digest.h"
#include "pipeline/base/error.h"
#include "pipeline/base/memory.h"
#include "pipeline/base/parallel.h"
#include "pipeline/base/text.h"
#include "tests/temporary_folder.h"

#include <atomic>
#include <fstream>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(Text, CountsInTheRightNumber) {
  EXPECT_EQ(Counted(1, "photo"), "1 photo");
  EXPECT_EQ(Counted(0, "photo"), "0 photos");
  EXPECT_EQ(Counted(12, "damaged frame"), "12 damaged frames");
}

TEST(Text, DurationsReadAsAPersonWritesThem) {
  EXPECT_EQ(HumanDuration(0.44), "0.4 s");
  EXPECT_EQ(HumanDuration(12.4), "12 s");
  EXPECT_EQ(HumanDuration(185), "3 min 05 s");
  EXPECT_EQ(HumanDuration(7800), "2 h 10 min");
  EXPECT_EQ(ParseDuration("90"), 90);
  EXPECT_EQ(ParseDuration("90s"), 90);
  EXPECT_EQ(ParseDuration("1.5m"), 90);
  EXPECT_EQ(ParseDuration("2h"), 7200);
  for (const char* wrong : {"", "m", "-5s", "0", "5 m", "5d", "inf", "1e999"}) {
    EXPECT_EQ(ParseDuration(wrong), std::nullopt) << wrong;
  }
}

TEST(Text, BytesUsePowersOfThousand) {
  EXPECT_EQ(HumanBytes(812), "812 B");
  EXPECT_EQ(HumanBytes(3'400'000), "3.4 MB");
  EXPECT_EQ(HumanBytes(128'000'000), "128 MB");
  EXPECT_EQ(HumanBytes(999'700), "1.0 MB");
  EXPECT_EQ(ParseBytes("1.5GB"), 1'500'000'000);
  EXPECT_EQ(ParseBytes("4G"), 4'000'000'000);
  EXPECT_EQ(ParseBytes("512MiB"), 536'870'912);
  EXPECT_EQ(ParseBytes("0"), 0);
  for (const char* wrong : {"", "G", "4 G", "-1G", "4T", "nan", "1e300G"}) {
    EXPECT_EQ(ParseBytes(wrong), std::nullopt) << wrong;
  }
}

TEST(Memory, ThreadsFitBesideWhatIsFixed) {
  EXPECT_EQ(ThreadsWithin(1000, 300, 200, 8), 3);
  EXPECT_EQ(ThreadsWithin(1000, 300, 200, 2), 2);
  EXPECT_EQ(ThreadsWithin(100, 300, 200, 8), 1);
  EXPECT_GT(AvailableMemory(), 0);
}

TEST(Text, SuggestsOnlyLikelyTypingErrors) {
  const std::vector<std::string> words = {"extract", "check", "colmap"};
  EXPECT_EQ(NearestWord("colmpa", words), "colmap");
  EXPECT_EQ(NearestWord("exract", words), "extract");
  EXPECT_EQ(NearestWord("banana", words), "");
}

TEST(Digest, FieldsDoNotRunTogether) {
  EXPECT_NE(DigestBuilder().Add("ab").Add("c").Finish(),
            DigestBuilder().Add("a").Add("bc").Finish());
  // XXH3-128 of the empty input, from the specification of xxHash.
  EXPECT_EQ(DigestOf(""), "99aa06d3014798d86001c324468d497f");
}

TEST(AtomicFile, ReplacesWholeFilesAndLeavesNothingBeside) {
  const TemporaryFolder folder;
  WriteFileAtomically(folder / "a.txt", "old");
  WriteFileAtomically(folder / "a.txt", std::string(1 << 20, 'x'));
  EXPECT_EQ(ReadFile(folder / "a.txt"), std::string(1 << 20, 'x'));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()),
                          fs::directory_iterator()),
            1);
}

TEST(AtomicFile, RefusedWriteIsAUserErrorThatNamesTheFile) {
  try {
    WriteFileAtomically("/proc/nerfpipe", "x");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.problem(), HasSubstr("/proc/nerfpipe"));
  }
}

TEST(ParallelFor, VisitsEveryIndexOnce) {
  std::vector<int> visits(1000);
  ParallelFor(1000, 3, [&](int64_t i) { ++visits[i]; });
  EXPECT_EQ(visits, std::vector<int>(1000, 1));
}

TEST(ParallelFor, PassesTheFirstExceptionOn) {
  std::atomic<int> calls{0};
  EXPECT_THROW(ParallelFor(1'000'000,
                           2,
                           [&](int64_t i) {
                             ++calls;
                             if (i == 10) {
                               throw UserError("a", "b");
                             }
                           }),
               UserError);
  EXPECT_LT(calls, 1'000'000);
}

TEST(ChildProcess, TellsHowTheChildEnded) {
  EXPECT_EQ(RunChild({"/bin/sh", "-c", "exit 7"}).exit_code, 7);
  EXPECT_EQ(RunChild({"/bin/sh", "-c", "kill -9 $$"}).signal, 9);
  EXPECT_THROW(RunChild({"/no/such/program"}), UserError);
}

TEST(Console, TablesLineUp) {
  EXPECT_EQ(FormatTable(
                {{"stage", "time"}, {{"extract", "2 s"}, {"colmap", "41 s"}}}),
            "  stage    time\n"
            "  extract   2 s\n"
            "  colmap   41 s\n");
}

}  // namespace
}  // namespace nerfpipe
