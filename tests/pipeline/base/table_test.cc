#include "pipeline/base/console.h"

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

TEST(Table, NumbersStandRightAndWordsLeft) {
  EXPECT_EQ(FormatTable({{"stage", "time", "change"},
                         {{"extract", "2 s", "+1.5"},
                          {"colmap", "41 s", "-12"},
                          {"a", "-", ""}}}),
            "  stage    time  change\n"
            "  extract   2 s    +1.5\n"
            "  colmap   41 s     -12\n"
            "  a           -\n");
}

TEST(Table, OneWordMakesAColumnOfWords) {
  EXPECT_EQ(
      FormatTable({{"n", "why"}, {{"1", "10 of 12"}, {"20", "never run"}}}),
      "   n  why\n"
      "   1  10 of 12\n"
      "  20  never run\n");
}

TEST(Table, WideLettersTakeTwoColumns) {
  EXPECT_EQ(FormatTable({{"name", "n"}, {{"汽车视频", "7"}, {"Köln", "12"}}}),
            "  name       n\n"
            "  汽车视频   7\n"
            "  Köln      12\n");
}

TEST(Table, NeedsNoHeaderAndNoFullRows) {
  EXPECT_EQ(FormatTable({{}, {{"video", "a.mp4"}, {"x"}}}),
            "  video  a.mp4\n"
            "  x\n");
  EXPECT_EQ(FormatTable({}), "");
  EXPECT_EQ(FormatTable({{"stage", "n"}, {}}), "  stage  n\n");
}

}  // namespace
}  // namespace nerfpipe
