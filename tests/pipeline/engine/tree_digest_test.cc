#include "pipeline/engine/tree_digest.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/child_process.h"
#include "pipeline/base/digest.h"
#include "tests/pipeline/engine/edit_in_place.h"
#include "tests/temporary_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::Pair;

class TreeDigestTest : public ::testing::Test {
 protected:
  void Put(const std::string& path, const std::string& text) {
    fs::create_directories((folder_ / path).parent_path());
    WriteFileAtomically(folder_ / path, text);
  }
  std::string Fresh(const std::string& path) {
    return DigestCache({}).Digest(folder_ / path).value().digest;
  }

  TemporaryFolder folder_;
};

TEST_F(TreeDigestTest, OfAFileIsThatOfItsBytes) {
  Put("a/1.jpg", "one");
  const TreeDigest tree = DigestCache({}).Digest(folder_ / "a/1.jpg").value();
  EXPECT_EQ(tree.digest, DigestOf("one"));
  EXPECT_THAT(tree.files, ElementsAre(Pair("1.jpg", DigestOf("one"))));
  EXPECT_FALSE(DigestCache({}).Digest(folder_ / "none"));
}

TEST_F(TreeDigestTest, ListsFilesFromTheFoldersOwnName) {
  Put("a/1.jpg", "one");
  Put("a/below/2.jpg", "two");
  const TreeDigest tree = DigestCache({}).Digest(folder_ / "a").value();
  EXPECT_THAT(tree.files,
              ElementsAre(Pair("a/1.jpg", DigestOf("one")),
                          Pair("a/below/2.jpg", DigestOf("two"))));
}

TEST_F(TreeDigestTest, FoldersMayBeLeftOut) {
  Put("a/1.jpg", "one");
  const std::string alone = Fresh("a");
  Put("a/b/work/2.jpg", "two");
  fs::create_directories(folder_ / "a/work");
  const auto work = [](const fs::path& folder) {
    return folder.filename() == "work";
  };
  const auto digest = [&] {
    return DigestCache({}).Digest(folder_ / "a", work).value().digest;
  };
  const std::string with_b = digest();
  EXPECT_NE(with_b, alone) << "the folder around it counts";
  Put("a/b/work/3.jpg", "three");
  EXPECT_EQ(digest(), with_b);
  fs::remove_all(folder_ / "a/b");
  EXPECT_EQ(digest(), alone);
}

TEST_F(TreeDigestTest, NamesAndContentsCount) {
  Put("a/1.jpg", "one");
  Put("a/2.jpg", "two");
  const std::string before = Fresh("a");
  Put("a/2.jpg", "2");
  EXPECT_NE(Fresh("a"), before);
  Put("a/2.jpg", "two");
  EXPECT_EQ(Fresh("a"), before);
  fs::rename(folder_ / "a/2.jpg", folder_ / "a/3.jpg");
  EXPECT_NE(Fresh("a"), before);
  fs::rename(folder_ / "a/3.jpg", folder_ / "a/2.jpg");
  fs::create_directories(folder_ / "a/empty");
  EXPECT_NE(Fresh("a"), before);
}

TEST_F(TreeDigestTest, TimesPlaceAndSlashDoNot) {
  Put("a/1.jpg", "one");
  Put("a/below/2.jpg", "two");
  const std::string before = Fresh("a");
  EXPECT_EQ(Fresh("a/"), before);
  fs::last_write_time(folder_ / "a/1.jpg", fs::file_time_type::min());
  EXPECT_EQ(Fresh("a"), before);
  fs::rename(folder_ / "a", folder_ / "bc");
  EXPECT_EQ(Fresh("bc"), before);
}

// One cache all along, and one that is stored in between.
TEST_F(TreeDigestTest, EditInPlaceIsSeenThoughSizeAndTimeAreKept) {
  Put("a/1.jpg", "one");
  DigestCache cache(folder_ / "digests.json");
  cache.Digest(folder_ / "a");
  cache.Save();
  for (const char* text : {"two", "six", "ten"}) {
    EditInPlace(folder_ / "a/1.jpg", text);
    EXPECT_EQ(cache.Digest(folder_ / "a/1.jpg")->digest, DigestOf(text));
    DigestCache stored(folder_ / "digests.json");
    EXPECT_EQ(stored.Digest(folder_ / "a/1.jpg")->digest, DigestOf(text));
    stored.Save();
  }
}

// The clock of the file system ticks slowly: a second edit may have the time of
// the first. Now and then the digest comes later than that, and is stored.
TEST_F(TreeDigestTest, OfAFileThatWasJustChangedIsNotStored) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    Put("a/1.jpg", std::to_string(attempt));
    DigestCache cache(folder_ / "digests.json");
    cache.Digest(folder_ / "a/1.jpg");
    cache.Save();
    if (!fs::exists(folder_ / "digests.json") ||
        ReadFile(folder_ / "digests.json").find("1.jpg") == std::string::npos) {
      return;
    }
    fs::remove(folder_ / "digests.json");
  }
  FAIL() << "it was stored each time";
}

// What lies under a path that was changed long ago is not read again: the
// stored digest is believed, here a false one.
class StoredDigest : public TreeDigestTest {
 protected:
  StoredDigest() {
    DigestCache cache(store_);
    cache.Digest(old_);
    cache.Save();
    entries_ = nlohmann::json::parse(ReadFile(store_));
  }
  nlohmann::json& Entry() { return entries_.at(old_.string()); }
  std::string Read() {
    WriteFileAtomically(store_, entries_.dump());
    return DigestCache(store_).Digest(old_)->digest;
  }

  fs::path store_ = folder_ / "digests.json";
  const fs::path old_ = "/bin/true";
  nlohmann::json entries_;
};

TEST_F(StoredDigest, SparesReadingAgain) {
  ASSERT_EQ(Entry().size(), 5u);
  EXPECT_EQ(Entry().back(), DigestOfFile(old_));
  Entry().back() = "believed";
  EXPECT_EQ(Read(), "believed");
}

TEST_F(StoredDigest, IsOfThatSizeTimesAndInode) {
  const nlohmann::json entry = Entry();
  for (size_t i = 0; i + 1 < entry.size(); ++i) {
    Entry() = entry;
    Entry().back() = "believed";
    Entry().at(i) = entry.at(i).get<int64_t>() - 1;
    EXPECT_EQ(Read(), DigestOfFile(old_)) << i;
  }
}

TEST_F(StoredDigest, OfAnotherVersionOrDamagedOnlyCostsTime) {
  const nlohmann::json entry = Entry();
  // As it was before the time of the last change counted.
  Entry() = {entry.at(0), entry.at(1), entry.at(3), "believed"};
  EXPECT_EQ(Read(), DigestOfFile(old_));
  for (const char* text : {"", "{", "[]", "{\"/bin/true\": 7}"}) {
    WriteFileAtomically(store_, text);
    DigestCache cache(store_);
    EXPECT_EQ(cache.Digest(old_)->digest, DigestOfFile(old_)) << text;
    cache.Save();
    EXPECT_EQ(nlohmann::json::parse(ReadFile(store_)).at(old_.string()), entry);
  }
}

TEST_F(StoredDigest, ForgetsWhatIsGone) {
  entries_["/no/such/file"] = Entry();
  entries_.erase(old_.string());
  WriteFileAtomically(store_, entries_.dump());
  DigestCache cache(store_);
  cache.Digest(old_);
  cache.Save();
  const auto stored = nlohmann::json::parse(ReadFile(store_));
  EXPECT_EQ(stored.size(), 1u);
  EXPECT_TRUE(stored.contains(old_.string()));
}

}  // namespace
}  // namespace nerfpipe
