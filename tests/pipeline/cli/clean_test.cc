// clean: what it lists, what it removes, and what the next run makes of it.

#include "tests/pipeline/cli/command_test.h"

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::ContainsRegex;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

class CleanCommand : public CommandTest {
 protected:
  void Fill(const std::string& file, size_t bytes) const {
    fs::create_directories((folder_ / file).parent_path());
    WriteFileAtomically(folder_ / file, std::string(bytes, '.'));
  }
  // All files in the folder, with their sizes.
  std::map<std::string, uintmax_t> Files(const std::string& folder) const {
    std::map<std::string, uintmax_t> files;
    for (const auto& entry :
         fs::recursive_directory_iterator(folder_ / folder)) {
      if (entry.is_regular_file()) files[entry.path()] = entry.file_size();
    }
    return files;
  }
};

TEST_F(CleanCommand, ListsAndFreesWhatCanBeMadeAgain) {
  WritePhotos(folder_ / "photos", 9);
  Run({"check", "photos", "-w", "w"});
  EXPECT_EQ(Run({"clean", "-w", "w", "--yes"}).out,
            "There is nothing to free in w.\n");
  Fill("w/.nerfpipe/tmp/colmap/key", 16);
  Fill("w/.nerfpipe/tmp/colmap/work/features/00001.bin", 1'199'984);
  Fill("w/.nerfpipe/saved/1/frames/00001.jpg", 3'000'000);
  const auto before = Files("w");
  const std::string list = Run({"clean", "-w", "w"}).out;
  EXPECT_THAT(list, ContainsRegex("what +size +freed by +what it is\n"));
  EXPECT_THAT(list,
              ContainsRegex("\\.nerfpipe/tmp/colmap +1\\.2 MB +--yes +"
                            "unfinished work of colmap, which begins anew\n"));
  EXPECT_THAT(
      list,
      ContainsRegex("\\.nerfpipe/saved +3\\.0 MB +--saved --yes +"
                    "replaced: altered by hand, or trained otherwise\n"));
  EXPECT_THAT(list, Not(HasSubstr("frames "))) << "colmap has yet to read them";
  EXPECT_THAT(list,
              EndsWith("'nerfpipe clean -w w --yes' frees 1.2 MB; nothing was "
                       "removed.\n"));
  EXPECT_EQ(Files("w"), before) << "what only lists writes nothing";
  EXPECT_THAT(Run({"clean", "-w", "w", "--saved"}).out,
              EndsWith("'nerfpipe clean -w w --saved --yes' frees 4.2 MB; "
                       "nothing was removed.\n"));
  EXPECT_EQ(Json({"clean", "-w", "w"}), nlohmann::json::parse(R"([
              {"path": ".nerfpipe/tmp/colmap", "bytes": 1200000,
               "kind": "unfinished", "freed": false},
              {"path": ".nerfpipe/saved", "bytes": 3000000,
               "kind": "saved", "freed": false}])"));

  EXPECT_THAT(Run({"clean", "-w", "w", "--yes"}).out,
              EndsWith("\nFreed 1.2 MB.\n"));
  EXPECT_FALSE(Exists("w/.nerfpipe/tmp/colmap"));
  EXPECT_TRUE(Exists("w/.nerfpipe/saved/1/frames/00001.jpg"));
  EXPECT_THAT(Run({"clean", "-w", "w", "--images"}).out,
              EndsWith("\nEach goes by its own flag; nothing was removed.\n"));
  const nlohmann::json freed = Json({"clean", "-w", "w", "--saved", "--yes"});
  EXPECT_EQ(freed.at(0).at("freed"), true);
  EXPECT_FALSE(Exists("w/.nerfpipe/saved"));
  EXPECT_THAT(Run({"run", "-w", "w", "--until", "check"}).err,
              HasSubstr("Nothing to do"));
}

TEST_F(CleanCommand, OthersFoldersAreRefused) {
  WritePhotos(folder_ / "photos", 2);
  const auto before = Files("photos");
  EXPECT_EQ(LastLine(Run({"clean", "-w", "photos", "--yes"}, 2)),
            "nerfpipe: photos is not a nerfpipe workspace; make one with "
            "'nerfpipe run CAPTURE', or name another folder with -w");
  EXPECT_EQ(LastLine(Run({"clean", "--yes"}, 2)),
            "nerfpipe: 'clean' needs a workspace; name it: nerfpipe clean -w "
            "DIR");
  EXPECT_EQ(Files("photos"), before);
}

}  // namespace
}  // namespace nerfpipe
