// Every option by its name: it sets what it says, a checkpoint keeps it, and
// one with another value is refused.

#include "stages/nerf/stage/settings.h"

#include "stages/nerf/options_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::HasSubstr;

// Another value than the one it has.
std::string Change(const OptionField& field) {
  const std::string before = field.get();
  for (const char* text : {"16",
                           "3",
                           "0.375",
                           "0.5",
                           "yes",
                           "no",
                           "huber",
                           "nerf",
                           "walk",
                           "0",
                           "-1",
                           "4096"}) {
    if (!field.set(text) && field.get() != before) return field.get();
  }
  ADD_FAILURE() << "nothing can be set in " << field.name;
  return "";
}

// What a run is made from, but not kept with the trained scene.
bool IsKept(const std::string& name) {
  return name != "train.time" && name != "train.deterministic" &&
         name != "train.factor" && name != "train.llffhold" &&
         name != "train.scene" && name != "train.method" &&
         name != "splat.time" && name != "splat.steps" &&
         name != "splat.factor";
}

TEST(SettingsTest, CheckpointsKeepEveryOptionOfTheirMethod) {
  for (const std::string method : {"ngp", "nerf"}) {
    TrainSettings none;
    const size_t groups = TrainOptionGroups(&none).size();
    for (size_t g = 0; g < groups; ++g) {
      const size_t fields = TrainOptionGroups(&none)[g].fields().size();
      for (size_t f = 0; f < fields; ++f) {
        TrainSettings settings;
        settings.options.train.method = method;
        const std::string before = nerf::OptionsText(settings.options);
        const std::vector<OptionGroup> all = TrainOptionGroups(&settings);
        const OptionField& field = all[g].fields()[f];
        const std::string name = all[g].name() + "." + field.name;
        if (!IsKept(name) || field.effect == Effect::kNone) continue;
        Change(field);
        const std::string after = nerf::OptionsText(settings.options);
        const std::string difference = nerf::FirstDifference(before, after);
        if (!GroupMatters(all[g], method)) {
          EXPECT_EQ(difference, "") << name;
          continue;
        }
        EXPECT_THAT(difference, ::testing::StartsWith(name + " ("));
        EXPECT_EQ(nerf::OptionsText(nerf::OptionsFromText(after)), after)
            << name;
      }
    }
  }
}

TEST(SettingsTest, ResultsDependOnEveryOptionButThoseThatSayNothing) {
  TrainSettings settings;
  const auto text = [&] {
    return ResultOptionsText(TrainOptionGroups(&settings),
                             settings.options.train.method);
  };
  std::vector<std::string> without;
  for (const OptionGroup& group : TrainOptionGroups(&settings)) {
    for (const OptionField& field : group.fields()) {
      const std::string before = text();
      const std::string old = field.get();
      const std::string value = Change(field);
      if (group.name() == "nerf" || group.name() == "splat") {
        EXPECT_EQ(text(), before) << field.name;
      } else if (text() == before) {
        without.push_back(field.name);
      } else if (field.name != "method") {
        EXPECT_THAT(text(),
                    HasSubstr(group.name() + "." + field.name + "=" + value));
      }
      EXPECT_FALSE(field.set(old)) << field.name;
    }
  }
  EXPECT_THAT(without,
              ::testing::ElementsAre(
                  "checkpoint_every", "checkpoint_seconds", "report_every"));
}

TEST(SettingsTest, SettingsOfTheReaderArriveThere) {
  TrainSettings settings;
  for (const OptionGroup& group : TrainOptionGroups(&settings)) {
    if (group.name() != "train") continue;
    EXPECT_FALSE(group.Find("factor")->set("2"));
    EXPECT_FALSE(group.Find("llffhold")->set("5"));
    EXPECT_FALSE(group.Find("scene")->set("inward"));
    EXPECT_FALSE(group.Find("time")->set("2.5"));
    EXPECT_FALSE(group.Find("deterministic")->set("yes"));
    EXPECT_FALSE(group.Find("checkpoint_every")->set("7"));
    EXPECT_FALSE(group.Find("checkpoint_seconds")->set("8"));
    EXPECT_FALSE(group.Find("report_every")->set("9"));
    EXPECT_TRUE(group.Find("method")->set("npg").has_value());
  }
  EXPECT_EQ(settings.factor, 2);
  EXPECT_EQ(settings.llffhold, 5);
  EXPECT_EQ(settings.scene, "inward");
  EXPECT_EQ(settings.options.train.time, 2.5);
  EXPECT_TRUE(settings.options.train.deterministic);
  EXPECT_EQ(settings.options.train.checkpoint_every, 7);
  EXPECT_EQ(settings.options.train.checkpoint_seconds, 8);
  EXPECT_EQ(settings.options.train.report_every, 9);
}

TEST(SettingsTest, RenderOptionsSetWhatTheySay) {
  RenderSettings settings;
  const OptionGroup group = RenderOptionGroup(&settings);
  for (const auto& [name, value] : {std::pair("method", "splat"),
                                    std::pair("path", "spiral"),
                                    std::pair("frames", "7"),
                                    std::pair("fps", "12.5"),
                                    std::pair("scale", "0.5"),
                                    std::pair("width", "31"),
                                    std::pair("height", "33"),
                                    std::pair("crf", "20")}) {
    EXPECT_FALSE(group.Find(name)->set(value)) << name;
  }
  EXPECT_EQ(settings.method, "splat");
  EXPECT_EQ(settings.path, "spiral");
  EXPECT_EQ(settings.frames, 7);
  EXPECT_EQ(settings.fps, 12.5);
  EXPECT_EQ(settings.scale, 0.5);
  EXPECT_EQ(settings.width, 31);
  EXPECT_EQ(settings.height, 33);
  EXPECT_EQ(settings.crf, 20);
}

}  // namespace
}  // namespace nerfpipe
