#include "pipeline/engine/manifest.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/digest.h"
#include "tests/temporary_folder.h"

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

Manifest Full() {
  Manifest manifest;
  manifest.stage = "colmap";
  manifest.stage_version = 2;
  manifest.options = {{"a.b", "c"}, {"a.text", "\"汽车\" \n"}};
  manifest.inputs = {{"frames", "aa"}};
  manifest.outputs["images"] = {"bb", {{"images/1.jpg", "cc"}}};
  manifest.outputs["sparse/0"] = {"dd", {}};
  manifest.line = "71 of 71 images";
  manifest.reduced = "features";
  manifest.memory_wanted = 5'000'000'000;
  manifest.facts = {{"frames", {{"registered", 71}}}};
  manifest.seconds = 1.25;
  manifest.peak_memory_mb = 812.5;
  return manifest;
}

TEST(Manifest, SurvivesARoundTrip) {
  const std::optional<Manifest> read = ManifestFromJson(ManifestToJson(Full()));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->stage, "colmap");
  EXPECT_EQ(read->stage_version, 2);
  EXPECT_EQ(read->options, Full().options);
  EXPECT_EQ(read->inputs, Full().inputs);
  ASSERT_EQ(read->outputs.size(), 2u);
  EXPECT_EQ(read->outputs.at("images").digest, "bb");
  EXPECT_EQ(read->outputs.at("images").files, Full().outputs["images"].files);
  EXPECT_EQ(read->outputs.at("sparse/0").digest, "dd");
  EXPECT_EQ(read->line, "71 of 71 images");
  EXPECT_EQ(read->reduced, "features");
  EXPECT_EQ(read->memory_wanted, 5'000'000'000);
  EXPECT_EQ(read->facts, Full().facts);
  EXPECT_EQ(read->seconds, 1.25);
  EXPECT_EQ(read->peak_memory_mb, 812.5);
}

TEST(Manifest, CutShortOrEditedIsNone) {
  const std::string text = ManifestToJson(Full());
  for (size_t size = 0; size < text.size() - 1; size += 7) {
    EXPECT_FALSE(ManifestFromJson(text.substr(0, size))) << size;
  }
  for (const char* old :
       {"1.25", "812.5", "\"bb\"", "\"aa\"", "71 of", "a.b"}) {
    std::string edited = text;
    ++edited[edited.find(old) + 1];
    EXPECT_FALSE(ManifestFromJson(edited)) << old;
  }
  EXPECT_FALSE(ManifestFromJson("{}"));
  EXPECT_FALSE(ManifestFromJson("[]"));
}

// Well sealed, but of a later program.
TEST(Manifest, OfAnotherFormatIsNone) {
  auto sealed = nlohmann::ordered_json::parse(ManifestToJson(Full()));
  EXPECT_TRUE(ManifestFromJson(sealed.dump()));
  sealed["record"]["format"] = 2;
  sealed["seal"] = DigestOf(sealed["record"].dump());
  EXPECT_FALSE(ManifestFromJson(sealed.dump()));
}

TEST(Manifest, IsPresentAbsentOrDamaged) {
  const TemporaryFolder folder;
  Manifest manifest;
  EXPECT_EQ(ReadManifest(folder / "a.json", &manifest), ManifestState::kAbsent);
  WriteFileAtomically(folder / "a.json", "{");
  EXPECT_EQ(ReadManifest(folder / "a.json", &manifest),
            ManifestState::kDamaged);
  EXPECT_EQ(manifest.stage, "");
  WriteFileAtomically(folder / "a.json", ManifestToJson(Full()));
  EXPECT_EQ(ReadManifest(folder / "a.json", &manifest),
            ManifestState::kPresent);
  EXPECT_EQ(manifest.stage, "colmap");
}

}  // namespace
}  // namespace nerfpipe
