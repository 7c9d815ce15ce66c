#include "pipeline/base/json_text.h"

#include "pipeline/base/random.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nerfpipe {
namespace {

bool IsUtf8(const std::string& text) {
  try {
    nlohmann::json(text).dump();
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

TEST(JsonText, WhatIsUtf8Stays) {
  for (const std::string text :
       {"", "plain", "\"quoted\" \n", "für 汽车 🚗", "\x7f\u0080\uffff"}) {
    EXPECT_EQ(ToJsonText(text), text);
    EXPECT_EQ(FromJsonText(text), text);
  }
}

TEST(JsonText, OtherBytesComeBack) {
  EXPECT_EQ(ToJsonText("f\xfcr"), "f\uEFFCr");
  // Cut off, too long, half of a pair, beyond the last character, and what an
  // escape looks like.
  for (const std::string bytes : {"\xe6\xb1",
                                  "\xc0\xaf",
                                  "\xed\xa0\x80",
                                  "\xf4\x90\x80\x80",
                                  "\xff\xfe",
                                  "\uEF80",
                                  "x\uEFFF"}) {
    EXPECT_TRUE(IsUtf8(ToJsonText(bytes))) << bytes;
    EXPECT_NE(ToJsonText(bytes), bytes);
    EXPECT_EQ(FromJsonText(ToJsonText(bytes)), bytes);
  }
}

TEST(JsonText, AnyBytesComeBack) {
  Random random(5);
  for (int n = 0; n < 3000; ++n) {
    std::string bytes;
    for (int i = 0; i < 12; ++i) {
      // Mostly those that UTF-8 and the escapes are made of.
      const double u = random.Uniform();
      bytes += static_cast<char>(u < 0.2   ? 0xEE
                                 : u < 0.4 ? 0xBE + static_cast<int>(10 * u) % 2
                                           : static_cast<int>(256 * u));
    }
    EXPECT_TRUE(IsUtf8(ToJsonText(bytes)));
    EXPECT_EQ(FromJsonText(ToJsonText(bytes)), bytes);
  }
}

TEST(JsonText, ForPeopleIsAlwaysUtf8) {
  EXPECT_EQ(JsonForPeople(nlohmann::json{{"a", "f\xfcr"}}),
            "{\"a\":\"f\uFFFDr\"}");
  EXPECT_EQ(JsonForPeople(nlohmann::json{1}, 1), "[\n 1\n]");
}

}  // namespace
}  // namespace nerfpipe
