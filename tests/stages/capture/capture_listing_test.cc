#include "stages/capture/capture_listing.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/capture/frame_masks.h"
#include "stages/media/image_file.h"
#include "tests/listener.h"
#include "tests/temporary_folder.h"

#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Listing : public testing::Test {
 protected:
  void Make(const std::vector<std::string>& names) const {
    for (const std::string& name : names) {
      std::filesystem::create_directories((folder_ / name).parent_path());
      WriteFileAtomically(folder_ / name, name);
    }
  }
  CaptureListing List() const { return ListCapture(folder_.path()); }
  std::vector<std::string> Told(const std::string& unit = "photo") {
    const CaptureListing listing = List();
    TellWhere(unit == "photo" ? listing.photos : listing.videos,
              listing,
              unit,
              ears_);
    return ears_.infos;
  }

  const TemporaryFolder folder_;
  Listener ears_;
};

TEST_F(Listing, TakesPhotosOfAllFoldersInTheOrderOfPeople) {
  Make({"101MEDIA/DJI_0002.JPG",
        "101MEDIA/DJI_0010.JPG",
        "100MEDIA/DJI_0002.JPG",
        "100MEDIA 2/x.jpg",
        "99MEDIA/a/b/deep.jpg",
        "cover.jpg",
        "2.jpg"});
  EXPECT_THAT(List().photos,
              ElementsAre("2.jpg",
                          "99MEDIA/a/b/deep.jpg",
                          "100MEDIA/DJI_0002.JPG",
                          "100MEDIA 2/x.jpg",
                          "101MEDIA/DJI_0002.JPG",
                          "101MEDIA/DJI_0010.JPG",
                          "cover.jpg"));
  EXPECT_THAT(Told(),
              ElementsAre("7 photos: 2 on top, 1 in '99MEDIA/a/b', 1 in "
                          "'100MEDIA', 1 in '100MEDIA 2', the rest in 1 other "
                          "folder"));
}

TEST_F(Listing, OfAPlainFolderNothingIsSaid) {
  Make({"a.jpg", "b.png"});
  EXPECT_THAT(Told(), IsEmpty());
  std::filesystem::create_directories(folder_ / "sub");
  for (const char* name : {"a.jpg", "b.png"}) {
    std::filesystem::rename(folder_ / name, folder_ / "sub" / name);
  }
  EXPECT_THAT(Told(), ElementsAre("the photos are in 'sub'"));
}

TEST_F(Listing, LeavesAloneWhatIsNotTheCapture) {
  Make({"a.jpg",
        ".hidden.jpg",
        ".trash/b.jpg",
        "@eaDir/a.jpg",
        "__MACOSX/._a.jpg",
        "a-nerf/.nerfpipe/workspace.json",
        "a-nerf/images/00001.jpg",
        "1/2/3/c.jpg",
        "1/2/3/4/d.jpg"});
  EXPECT_THAT(List().photos, ElementsAre("1/2/3/c.jpg", "a.jpg"));
  Told();
  EXPECT_THAT(ears_.warnings,
              ElementsAre(HasSubstr("more than 3 folders deep: '1/2/3/4'")));
}

TEST_F(Listing, KnowsSmallerCopiesByTheirSize) {
  for (const auto& [name, width, height] :
       {std::tuple("images/IMG 1.png", 86, 63),
        std::tuple("images_4/image000.png", 22, 16),
        std::tuple("images_12/a.png", 86, 63),  // of another day
        std::tuple("old/images_2/a.png", 43, 32),
        std::tuple("old/images_8/a.png", 11, 8)}) {
    std::filesystem::create_directories((folder_ / name).parent_path());
    WriteImage(Image(width, height, 3), folder_ / name);
  }
  EXPECT_THAT(
      List().photos,
      ElementsAre("images/IMG 1.png", "images_12/a.png", "old/images_2/a.png"));
  EXPECT_THAT(Told().back(),
              "left out as smaller copies of other folders: 'images_4', "
              "'old/images_8'");
}

TEST_F(Listing, FollowsALinkOnce) {
  Make({"real/a.jpg"});
  std::filesystem::create_directory_symlink(folder_.path(),
                                            folder_ / "real/back");
  EXPECT_THAT(List().photos, ElementsAre("real/a.jpg"));
}

TEST_F(Listing, TellsVideosFromPhotosAndTheRest) {
  Make({"GX010042.MP4",
        "GX010042.LRV",
        "sub/GX020042.mov",
        "IMG.dng",
        "IMG.jpg",
        "masks/IMG.png",
        "sub/Mask/x.png"});
  const CaptureListing listing = List();
  EXPECT_THAT(listing.photos, ElementsAre("IMG.jpg"));
  EXPECT_THAT(listing.videos, ElementsAre("GX010042.MP4", "sub/GX020042.mov"));
  EXPECT_THAT(listing.in_mask_folders,
              ElementsAre("masks/IMG.png", "sub/Mask/x.png"));
  EXPECT_EQ(listing.foreign, 1u);
  EXPECT_EQ(listing.others, 1u);
  EXPECT_THAT(Told("video"),
              ElementsAre("2 videos: 1 on top, 1 in 'sub'",
                          "1 file in the folder skipped: hidden or no "
                          "picture"));
}

TEST(Names, AreShortened) {
  EXPECT_EQ(FirstOf({"a"}), "'a'");
  EXPECT_EQ(FirstOf({"a", "b", "c", "d", "e"}), "'a', 'b', 'c' and 2 more");
}

// --- masks ---

PairedMasks Pair(const std::vector<std::string>& photos,
                 const std::vector<std::string>& in_mask_folders = {}) {
  CaptureListing listing;
  listing.photos = photos;
  listing.in_mask_folders = in_mask_folders;
  return PairMasks(listing);
}

TEST(PairMasks, GoesByTheName) {
  const PairedMasks paired = Pair({"a/1.jpg",
                                   "a/1_mask.png",
                                   "a/2.JPG",
                                   "a/2.jpg.png",
                                   "a/3.jpg",
                                   "a/3.JPG.mask.png",
                                   "a/4.jpg",
                                   "b/4-Mask.jpg",
                                   "b/mask_of_a_lion.jpg"});
  EXPECT_THAT(
      paired.photos,
      ElementsAre(
          "a/1.jpg", "a/2.JPG", "a/3.jpg", "a/4.jpg", "b/mask_of_a_lion.jpg"));
  EXPECT_THAT(
      paired.of_photo,
      ElementsAre("a/1_mask.png", "a/2.jpg.png", "a/3.JPG.mask.png", "", ""));
  EXPECT_THAT(paired.alone, ElementsAre("b/4-Mask.jpg"));
}

TEST(PairMasks, LooksIntoFoldersOfMasks) {
  const PairedMasks paired =
      Pair({"a/1.jpg", "a/s/2.jpg", "images/3.jpg", "x/5.jpg", "y/5.jpg"},
           {"a/masks/1.png",
            "a/masks/s/2.jpg.png",
            "masks/3_mask.png",
            "masks/5.png",
            "masks/6.png"});
  EXPECT_THAT(
      paired.of_photo,
      ElementsAre(
          "a/masks/1.png", "a/masks/s/2.jpg.png", "masks/3_mask.png", "", ""));
  // Of 5.jpg there are two.
  EXPECT_THAT(paired.alone, ElementsAre("masks/5.png", "masks/6.png"));
}

TEST(PairMasks, PhotosAreNoneOfEachOther) {
  // Both kinds of one shot, and a file without a suffix.
  EXPECT_THAT(Pair({"1.heic", "1.jpg", "2", "2.png"}).photos,
              ElementsAre("1.heic", "1.jpg", "2", "2.png"));
  // Nothing but "masks": those of a carnival.
  EXPECT_THAT(Pair({"lion_mask.jpg", "owl_mask.jpg"}).photos,
              ElementsAre("lion_mask.jpg", "owl_mask.jpg"));
}

}  // namespace
}  // namespace nerfpipe
