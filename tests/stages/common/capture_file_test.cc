#include "stages/common/capture_file.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "tests/temporary_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// No two figures alike.
CaptureFrame Frame() {
  CaptureFrame frame;
  frame.name = "00002.jpg";
  frame.width = 1281;
  frame.height = 723;
  frame.sharpness = 312.1234564;
  frame.relative_sharpness = 0.87;
  frame.exposure = 0.41;
  frame.exposure_drift = -0.23;
  frame.motion = 0.017;
  frame.kept = false;
  frame.reason = "blurred";
  return frame;
}

CaptureFile Video() {
  CaptureFile capture;
  capture.kind = "video";
  capture.frames.push_back(Frame());
  capture.frames[0].index = 5000000017;
  capture.frames[0].time = 166.7333333;
  capture.frames.push_back(Frame());
  capture.frames[1].name = "00009.jpg";
  capture.frames[1].kept = true;
  capture.frames[1].reason = "";
  return capture;
}

CaptureFile Photos() {
  CaptureFile capture;
  capture.kind = "photos";
  capture.frames.push_back(Frame());
  capture.frames[0].original = "IMG 10.HEIC";
  capture.frames[0].focal = 0.6321;
  capture.frames.push_back(Frame());
  capture.frames[1].original = "IMG 9.HEIC";
  return capture;
}

class CaptureFileTest : public testing::Test {
 protected:
  std::string Written(const CaptureFile& capture) {
    WriteCaptureFile(capture, folder_ / "capture.json");
    return ReadFile(folder_ / "capture.json");
  }

  CaptureFile Reread(const CaptureFile& capture) {
    Written(capture);
    return ReadCaptureFile(folder_ / "capture.json");
  }

  std::string FailureOf(const std::string& text) {
    WriteFileAtomically(folder_ / "capture.json", text);
    try {
      ReadCaptureFile(folder_ / "capture.json");
    } catch (const UserError& error) {
      return error.what();
    }
    return "read without complaint";
  }

  const TemporaryFolder folder_;
};

void ExpectFigures(const CaptureFrame& frame) {
  EXPECT_EQ(frame.name, "00002.jpg");
  EXPECT_EQ(frame.width, 1281);
  EXPECT_EQ(frame.height, 723);
  EXPECT_EQ(frame.sharpness, 312.123456);
  EXPECT_EQ(frame.relative_sharpness, 0.87);
  EXPECT_EQ(frame.exposure, 0.41);
  EXPECT_EQ(frame.exposure_drift, -0.23);
  EXPECT_EQ(frame.motion, 0.017);
  EXPECT_FALSE(frame.kept);
  EXPECT_EQ(frame.reason, "blurred");
}

TEST_F(CaptureFileTest, KeepsEveryFigureOfAVideo) {
  const CaptureFile capture = Reread(Video());
  EXPECT_EQ(capture.kind, "video");
  ASSERT_EQ(capture.frames.size(), 2u);
  ExpectFigures(capture.frames[0]);
  EXPECT_EQ(capture.frames[0].index, 5000000017);
  EXPECT_EQ(capture.frames[0].time, 166.733333);
  EXPECT_EQ(capture.frames[0].original, "");
  EXPECT_TRUE(capture.frames[1].kept);
}

TEST_F(CaptureFileTest, KeepsTheNamesAndFocalLengthsOfPhotos) {
  const CaptureFile capture = Reread(Photos());
  EXPECT_EQ(capture.kind, "photos");
  ASSERT_EQ(capture.frames.size(), 2u);
  ExpectFigures(capture.frames[0]);
  EXPECT_EQ(capture.frames[0].original, "IMG 10.HEIC");
  EXPECT_EQ(capture.frames[0].focal, 0.6321);
  EXPECT_EQ(capture.frames[1].original, "IMG 9.HEIC");
  EXPECT_EQ(capture.frames[1].focal, 0);
  EXPECT_EQ(capture.frames[1].index, 0);
}

// Other programs read the file by these keys.
TEST_F(CaptureFileTest, IsWrittenKeyByKey) {
  CaptureFile capture = Video();
  capture.frames.resize(1);
  EXPECT_EQ(Written(capture),
            "{\n"
            " \"version\": 1,\n"
            " \"kind\": \"video\",\n"
            " \"frames\": [\n"
            "  {\n"
            "   \"name\": \"00002.jpg\",\n"
            "   \"index\": 5000000017,\n"
            "   \"time\": 166.733333,\n"
            "   \"width\": 1281,\n"
            "   \"height\": 723,\n"
            "   \"sharpness\": 312.123456,\n"
            "   \"relative_sharpness\": 0.87,\n"
            "   \"exposure\": 0.41,\n"
            "   \"exposure_drift\": -0.23,\n"
            "   \"motion\": 0.017,\n"
            "   \"kept\": false,\n"
            "   \"reason\": \"blurred\"\n"
            "  }\n"
            " ]\n"
            "}\n");
}

TEST_F(CaptureFileTest, KeptNamesAreInTheOrderOfTheCapture) {
  CaptureFile capture = Video();
  capture.frames.push_back(Frame());
  capture.frames[2].name = "00001.jpg";
  capture.frames[2].kept = true;
  EXPECT_THAT(capture.KeptNames(), ElementsAre("00009.jpg", "00001.jpg"));
}

TEST_F(CaptureFileTest, ANameThatIsNotUtf8DoesNotStopTheStage) {
  CaptureFile capture = Photos();
  capture.frames[0].original = "caf\xe9.jpg";
  EXPECT_EQ(Reread(capture).frames[0].original, "caf\xe9.jpg");
}

TEST_F(CaptureFileTest, DamageAndNewerVersionsAreToldApart) {
  const std::string good = Written(Video());
  EXPECT_THAT(FailureOf(good.substr(0, good.size() / 2)),
              HasSubstr("capture.json' is damaged"));
  EXPECT_THAT(FailureOf("{\"version\": 1, \"kind\": \"video\"}"),
              HasSubstr("run the check stage again"));
  std::string newer = good;
  newer.replace(newer.find("\"version\": 1"), 12, "\"version\": 2");
  EXPECT_THAT(FailureOf(newer), HasSubstr("written by a newer nerfpipe"));
  std::string index = good;
  index.replace(index.find("\"index\""), 7, "\"indexes\"");
  EXPECT_THAT(FailureOf(index), HasSubstr("'index' not found"));
  EXPECT_THROW(ReadCaptureFile(folder_ / "missing.json"), UserError);
}

}  // namespace
}  // namespace nerfpipe
