#include "paroquant/io/record_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/io/test_files.h"
#include "tests/testing/error_of.h"
#include "tests/testing/paths.h"

namespace paroquant::io {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<uint16_t> kValues = {1, 2, 3, 500};

void WriteRecord(const fs::path& path, const std::string& name = "a") {
  RecordWriter writer(path);
  writer.Append(std::as_bytes(std::span(kValues)));
  writer.Commit({{"name", name}});
}

// What is found wrong with a file of these bytes; "" if it is taken.
std::string Problem(const fs::path& path, const std::string& bytes) {
  WriteFile(path, bytes);
  try {
    Record::Open(path);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
}

class RecordFileTest : public ::testing::Test {
 protected:
  testing::TemporaryFolder folder_;
  const fs::path path_ = folder_.path() / "record";
};

TEST_F(RecordFileTest, GivesBackWhatWasWritten) {
  WriteRecord(path_);
  std::optional<Record> record = Record::Open(path_);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->description(), Json({{"name", "a"}}));
  std::vector<uint16_t> first(1), rest(3);
  record->Take(first);
  EXPECT_EQ(ErrorOf([&] { record->RequireLeft(0); }).kind(), ErrorKind::kInput);
  record->Take(rest);
  EXPECT_THAT(rest, ElementsAre(2, 3, 500));
  record->RequireLeft(0);
  EXPECT_EQ(ErrorOf([&] { record->Take(first); }).kind(), ErrorKind::kInput);
  EXPECT_EQ(ErrorOf([&] { record->Take<uint16_t>(UINT64_MAX); }).kind(), ErrorKind::kInput);
}

TEST_F(RecordFileTest, FileThatIsNotThereIsNoRecord) {
  EXPECT_FALSE(Record::Open(path_).has_value());
}

TEST_F(RecordFileTest, AnySingleBitThatFlipsIsFound) {
  WriteRecord(path_);
  const std::string whole = ReadFile(path_);
  EXPECT_EQ(Problem(path_, whole), "");
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(Problem(path_, flipped), "") << bit;
  }
}

TEST_F(RecordFileTest, AnyOtherLengthIsFound) {
  WriteRecord(path_);
  const std::string whole = ReadFile(path_);
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(Problem(path_, whole.substr(0, size)), "") << size;
    EXPECT_NE(Problem(path_, whole.substr(0, size) + std::string(whole.size() - size, '\0')), "")
        << size << " and zeros";
  }
  EXPECT_THAT(Problem(path_, whole + whole), HasSubstr("bytes"));
}

TEST_F(RecordFileTest, WithoutCommitNothingIsLeft) {
  {
    RecordWriter writer(path_);
    writer.Append(std::as_bytes(std::span(kValues)));
    EXPECT_THAT(NamesIn(folder_.path()), ElementsAre("record.tmp"));
  }
  EXPECT_THAT(NamesIn(folder_.path()), IsEmpty());
}

TEST_F(RecordFileTest, NewRecordTakesThePlaceOfTheOldOneAtCommit) {
  WriteRecord(path_, "old");
  RecordWriter writer(path_);
  EXPECT_EQ(Record::Open(path_)->description().at("name"), "old");
  writer.Commit({{"name", "new"}});
  EXPECT_EQ(Record::Open(path_)->description().at("name"), "new");
  EXPECT_THAT(NamesIn(folder_.path()), ElementsAre("record"));
}

}  // namespace
}  // namespace paroquant::io
