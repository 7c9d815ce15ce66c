#include "pipeline/base/text.h"

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

TEST(Text, CountsInTheRightNumber) {
  EXPECT_EQ(Counted(1, "photo"), "1 photo");
  EXPECT_EQ(Counted(0, "photo"), "0 photos");
  EXPECT_EQ(Counted(12, "damaged frame"), "12 damaged frames");
}

TEST(Text, DurationsReadAsAPersonWritesThem) {
  EXPECT_EQ(HumanDuration(0.44), "0.4 s");
  EXPECT_EQ(HumanDuration(9.94), "9.9 s");
  EXPECT_EQ(HumanDuration(9.96), "10 s");
  EXPECT_EQ(HumanDuration(12.4), "12 s");
  EXPECT_EQ(HumanDuration(59.4), "59 s");
  EXPECT_EQ(HumanDuration(59.6), "1 min 00 s");
  EXPECT_EQ(HumanDuration(185), "3 min 05 s");
  EXPECT_EQ(HumanDuration(3599.4), "59 min 59 s");
  EXPECT_EQ(HumanDuration(3599.6), "1 h 00 min");
  EXPECT_EQ(HumanDuration(7800), "2 h 10 min");
  EXPECT_EQ(HumanDuration(100 * 3600 + 5 * 60 + 59), "100 h 05 min");
}

TEST(Text, ReadsDurations) {
  EXPECT_EQ(ParseDuration("90"), 90);
  EXPECT_EQ(ParseDuration("90s"), 90);
  EXPECT_EQ(ParseDuration("1.5m"), 90);
  EXPECT_EQ(ParseDuration("2h"), 7200);
  EXPECT_EQ(ParseDuration("0.25h"), 900);
  for (const char* wrong : {"",
                            "m",
                            "-5s",
                            "0",
                            "0h",
                            "5 m",
                            "5d",
                            "5ms",
                            "5mm",
                            "1m30s",
                            "inf",
                            "nan",
                            "1e999"}) {
    EXPECT_EQ(ParseDuration(wrong), std::nullopt) << wrong;
  }
}

TEST(Text, BytesUsePowersOfThousand) {
  EXPECT_EQ(HumanBytes(0), "0 B");
  EXPECT_EQ(HumanBytes(812), "812 B");
  EXPECT_EQ(HumanBytes(999), "999 B");
  EXPECT_EQ(HumanBytes(1'000), "1.0 kB");
  EXPECT_EQ(HumanBytes(3'400'000), "3.4 MB");
  EXPECT_EQ(HumanBytes(99'900'000), "99.9 MB");
  EXPECT_EQ(HumanBytes(99'960'000), "100 MB");
  EXPECT_EQ(HumanBytes(128'000'000), "128 MB");
  EXPECT_EQ(HumanBytes(999'700), "1.0 MB");
  EXPECT_EQ(HumanBytes(1'250'000'000), "1.2 GB");
  EXPECT_EQ(HumanBytes(7'100'000'000'000), "7.1 TB");
  EXPECT_EQ(HumanBytes(7'100'000'000'000'000), "7100 TB");
}

TEST(Text, ReadsBytes) {
  EXPECT_EQ(ParseBytes("0"), 0);
  EXPECT_EQ(ParseBytes("17"), 17);
  EXPECT_EQ(ParseBytes("17B"), 17);
  EXPECT_EQ(ParseBytes("3k"), 3'000);
  EXPECT_EQ(ParseBytes("3kB"), 3'000);
  EXPECT_EQ(ParseBytes("3KiB"), 3'072);
  EXPECT_EQ(ParseBytes("800M"), 800'000'000);
  EXPECT_EQ(ParseBytes("800MB"), 800'000'000);
  EXPECT_EQ(ParseBytes("512MiB"), 536'870'912);
  EXPECT_EQ(ParseBytes("4G"), 4'000'000'000);
  EXPECT_EQ(ParseBytes("1.5GB"), 1'500'000'000);
  EXPECT_EQ(ParseBytes("2GiB"), 2'147'483'648);
  EXPECT_EQ(ParseBytes("9000000G"), 9'000'000'000'000'000);
  for (const char* wrong : {"",
                            "G",
                            "4 G",
                            "-1G",
                            "4T",
                            "4g",
                            "9000001G",
                            "nan",
                            "inf",
                            "1e300G"}) {
    EXPECT_EQ(ParseBytes(wrong), std::nullopt) << wrong;
  }
}

TEST(Text, SuggestsOnlyLikelyTypingErrors) {
  const std::vector<std::string> words = {"extract", "check", "colmap"};
  EXPECT_EQ(NearestWord("colmpa", words), "colmap");
  EXPECT_EQ(NearestWord("exract", words), "extract");
  EXPECT_EQ(NearestWord("extracts", words), "extract");
  EXPECT_EQ(NearestWord("chekk", words), "check");
  EXPECT_EQ(NearestWord("banana", words), "");
  // Two letters wrong are a typing error, three of so few are not.
  EXPECT_EQ(NearestWord("chore", words), "");
  EXPECT_EQ(NearestWord("shack", words), "check");
  // Three of nine are.
  EXPECT_EQ(NearestWord("exxxtractx", words), "extract");
  EXPECT_EQ(NearestWord("check", {}), "");
  EXPECT_EQ(DidYouMean("chekk", words), ", did you mean 'check'?");
  EXPECT_EQ(DidYouMean("banana", words), "");
}

TEST(Text, NearestWordIsTheNearestNotTheFirst) {
  EXPECT_EQ(NearestWord("steps", {"stops", "step_", "steps_"}), "stops");
  EXPECT_EQ(NearestWord("rate", {"raise", "late", "rates"}), "late");
  EXPECT_EQ(NearestWord("rats", {"raise", "cats_", "rate"}), "rate");
}

TEST(Text, ColumnsAreThoseOfATerminal) {
  EXPECT_EQ(Columns(""), 0);
  EXPECT_EQ(Columns("car"), 3);
  EXPECT_EQ(Columns("Köln"), 4);
  EXPECT_EQ(Columns("汽车 1"), 6);
  EXPECT_EQ(Columns("カメラ"), 6);
  EXPECT_EQ(Columns("한국"), 4);
  EXPECT_EQ(Columns("！"), 2);
  EXPECT_EQ(Columns("\U0001F697"), 2);
  EXPECT_EQ(Columns("e\u0301"), 1);
  EXPECT_EQ(Columns("80 \u00b5m"), 5);
}

}  // namespace
}  // namespace nerfpipe
