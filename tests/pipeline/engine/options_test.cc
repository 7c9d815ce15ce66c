#include "pipeline/engine/options.h"

#include "pipeline/base/error.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::HasSubstr;

class OptionsTest : public ::testing::Test {
 protected:
  OptionsTest() {
    group_.Integer("count", &count_, "how many", 2, 50)
        .Number("share", &share_, "a share", 0.25, 1.5, Effect::kNone)
        .Flag("rotate", &rotate_, "turn upright")
        .Text("note", &note_, "anything")
        .Choice("model", &model_, {"OPENCV", "PINHOLE"}, "camera");
  }
  // What is wrong with the value, or nothing.
  std::string Set(const std::string& name, const std::string& text) {
    return group_.Find(name)->set(text).value_or("");
  }

  int count_ = 7;
  double share_ = 0.5;
  bool rotate_ = false;
  std::string note_ = "n";
  std::string model_ = "OPENCV";
  OptionGroup group_{"extract"};
};

TEST_F(OptionsTest, BothEndsOfARangeAreIn) {
  EXPECT_EQ(Set("count", "2"), "");
  EXPECT_EQ(count_, 2);
  EXPECT_EQ(Set("count", "50"), "");
  EXPECT_EQ(count_, 50);
  EXPECT_EQ(Set("share", "0.25"), "");
  EXPECT_EQ(share_, 0.25);
  EXPECT_EQ(Set("share", "1.5"), "");
  EXPECT_EQ(share_, 1.5);
}

TEST_F(OptionsTest, WhatIsOutsideIsRefusedAndChangesNothing) {
  EXPECT_EQ(Set("count", "1"), "1 is outside 2 to 50");
  EXPECT_EQ(Set("count", "51"), "51 is outside 2 to 50");
  EXPECT_EQ(Set("share", "0.2499"), "0.2499 is outside 0.25 to 1.5");
  EXPECT_EQ(Set("share", "1.5001"), "1.5001 is outside 0.25 to 1.5");
  EXPECT_THAT(Set("share", "nan"), HasSubstr("outside"));
  EXPECT_THAT(Set("share", "inf"), HasSubstr("outside"));
  for (const char* text : {"", "3.5", "3 ", " 3", "three", "99999999999"}) {
    EXPECT_EQ(Set("count", text),
              "needs a whole number, not '" + std::string(text) + "'");
  }
  EXPECT_EQ(Set("share", "0,5"), "needs a number, not '0,5'");
  EXPECT_EQ(count_, 7);
  EXPECT_EQ(share_, 0.5);
}

TEST_F(OptionsTest, FlagsKnowTheirWords) {
  for (const char* yes : {"yes", "true", "on", "1"}) {
    rotate_ = false;
    EXPECT_EQ(Set("rotate", yes), "");
    EXPECT_TRUE(rotate_) << yes;
  }
  for (const char* no : {"no", "false", "off", "0"}) {
    rotate_ = true;
    EXPECT_EQ(Set("rotate", no), "");
    EXPECT_FALSE(rotate_) << no;
  }
  for (const char* other : {"", "y", "Yes", "2"}) {
    EXPECT_EQ(Set("rotate", other),
              "needs yes or no, not '" + std::string(other) + "'");
  }
}

TEST_F(OptionsTest, ChoicesAreThoseNamed) {
  EXPECT_EQ(Set("model", "PINHOLE"), "");
  EXPECT_EQ(model_, "PINHOLE");
  EXPECT_EQ(Set("model", "PINHOL"),
            "needs one of OPENCV|PINHOLE, not 'PINHOL', did you mean "
            "'PINHOLE'?");
  EXPECT_EQ(Set("model", "opencv"),
            "needs one of OPENCV|PINHOLE, not 'opencv'");
  EXPECT_EQ(model_, "PINHOLE");
}

TEST_F(OptionsTest, TextTakesAnything) {
  EXPECT_EQ(Set("note", ""), "");
  EXPECT_EQ(note_, "");
  EXPECT_EQ(Set("note", "a=b: #"), "");
  EXPECT_EQ(note_, "a=b: #");
}

TEST_F(OptionsTest, DescribeThemselves) {
  const OptionField& count = *group_.Find("count");
  EXPECT_EQ(count.help, "how many");
  EXPECT_EQ(count.type, "integer");
  EXPECT_EQ(count.default_text, "7");
  EXPECT_EQ(count.effect, Effect::kResult);
  EXPECT_EQ(group_.Find("share")->type, "number");
  EXPECT_EQ(group_.Find("share")->default_text, "0.5");
  EXPECT_EQ(group_.Find("share")->effect, Effect::kNone);
  EXPECT_EQ(group_.Find("rotate")->type, "yes/no");
  EXPECT_EQ(group_.Find("rotate")->default_text, "no");
  EXPECT_EQ(group_.Find("note")->type, "text");
  EXPECT_EQ(group_.Find("model")->type, "OPENCV|PINHOLE");
  EXPECT_EQ(group_.Find("none"), nullptr);
  // The default stays what it was.
  Set("count", "9");
  EXPECT_EQ(group_.Find("count")->default_text, "7");
  EXPECT_EQ(group_.Find("count")->get(), "9");
}

// Fingerprints and the saved configuration hang on it.
TEST_F(OptionsTest, NumbersReadBackAsTheyWere) {
  const OptionField& share = *group_.Find("share");
  for (const double value : {0.3, 1.0 / 3, 1.1, 1e-300, 12345678.125}) {
    share_ = value;
    const std::string text = share.get();
    double low = std::numeric_limits<double>::lowest();
    double read = 0;
    OptionGroup wide("wide");
    wide.Number("x", &read, "", low, -low);
    EXPECT_FALSE(wide.Find("x")->set(text));
    EXPECT_EQ(read, value) << text;
  }
  share_ = 0.1;
  EXPECT_EQ(share.get(), "0.1");
  Set("rotate", "on");
  EXPECT_EQ(group_.Find("rotate")->get(), "yes");
}

TEST_F(OptionsTest, NamesAreGivenOnce) {
  EXPECT_THROW(group_.Flag("count", &rotate_, ""), CheckFailed);
}

}  // namespace
}  // namespace nerfpipe
