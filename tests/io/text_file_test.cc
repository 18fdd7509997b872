#include "paroquant/io/text_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zlib.h>

#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "paroquant/base/error.h"
#include "paroquant/base/file.h"
#include "tests/testing/paths.h"

namespace paroquant::io {
namespace {

// One gzip member that holds `text`.
std::string Gzip(const std::string& text) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() / "packed";
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
  return ReadFile(path);
}

class TextFileTest : public ::testing::Test {
 protected:
  std::filesystem::path Write(const std::string& name, const std::string& bytes) const {
    WriteFile(folder_.path() / name, bytes);
    return folder_.path() / name;
  }

  void ExpectFault(const std::string& bytes, const std::string& found, uint64_t max_bytes = 1000) {
    const auto path = Write("faulty.gz", bytes);
    try {
      ReadTextFile(path, max_bytes);
      FAIL() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_EQ(error.parts().where, path.string());
      EXPECT_EQ(error.parts().found, found);
    }
  }

  const testing::TemporaryFolder folder_;
};

TEST_F(TextFileTest, ReadsPlainAndPackedFiles) {
  EXPECT_EQ(ReadTextFile(Write("plain.txt", "text\n")), "text\n");
  EXPECT_EQ(ReadTextFile(Write("packed.txt.gz", Gzip("text\n"))), "text\n");
  EXPECT_EQ(ReadTextFile(Write("empty.gz", Gzip(""))), "");
}

TEST_F(TextFileTest, ReadsAllMembersOfAPackedFile) {
  const std::string large(300000, 'x');
  EXPECT_EQ(ReadTextFile(Write("members.gz", Gzip("one ") + Gzip(large) + Gzip(" three"))),
            "one " + large + " three");
}

TEST_F(TextFileTest, RefusesWhatIsNoWholeGzipFile) {
  const std::string packed = Gzip("a text that is long enough to be cut somewhere");
  ExpectFault("", "its end missing");
  ExpectFault(packed.substr(0, packed.size() - 1), "its end missing");
  ExpectFault(packed.substr(0, 20), "its end missing");
  ExpectFault("plain text", "incorrect header check");
  ExpectFault(packed + "garbage", "incorrect header check");
  std::string damaged = packed;
  damaged[packed.size() - 8] ^= 1;
  ExpectFault(damaged, "incorrect data check");
}

TEST_F(TextFileTest, RefusesToUnpackMoreThanAllowed) {
  EXPECT_EQ(ReadTextFile(Write("fits.gz", Gzip(std::string(1000, 'x'))), 1000).size(), 1000U);
  ExpectFault(Gzip(std::string(1001, 'x')), "more");
  ExpectFault(Gzip(std::string(10000000, 'x')), "more");
}

TEST_F(TextFileTest, PipesAreReadToTheirEnd) {
  const auto pipe = folder_.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const std::string text(200000, 'x');
  std::thread writer([&] { std::ofstream(pipe) << text; });
  EXPECT_EQ(ReadTextFile(pipe), text);
  writer.join();
  EXPECT_EQ(ReadTextFile("/dev/null"), "");
  EXPECT_THROW(ReadTextFile("/dev/zero", 1000), Error);
}

TEST_F(TextFileTest, MissingFilesAreFaultsOfTheInput) {
  for (const char* name : {"absent.txt", "absent.gz"}) {
    try {
      ReadTextFile(folder_.path() / name);
      FAIL() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
    }
  }
}

TEST(ForEachLineTest, NumbersLinesAndDropsTheirEnds) {
  std::vector<std::pair<std::string, int64_t>> lines;
  ForEachLine("one\ntwo\r\n\nfour",
              [&](std::string_view line, int64_t number) { lines.emplace_back(line, number); });
  const std::vector<std::pair<std::string, int64_t>> expected = {
      {"one", 1}, {"two", 2}, {"", 3}, {"four", 4}};
  EXPECT_EQ(lines, expected);
}

}  // namespace
}  // namespace paroquant::io
