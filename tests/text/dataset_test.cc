#include "paroquant/text/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "paroquant/base/file.h"
#include "tests/testing/error_of.h"
#include "tests/testing/paths.h"

namespace paroquant::text {
namespace {

using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;

class DatasetTest : public ::testing::Test {
 protected:
  std::filesystem::path Write(const std::filesystem::path& name, const std::string& text) const {
    std::filesystem::create_directories((folder_.path() / name).parent_path());
    WriteFile(folder_.path() / name, text);
    return folder_.path() / name;
  }

  void ExpectFault(const std::string& name, const std::string& text, ErrorKind kind,
                   const std::string& message) const {
    const auto path = Write(name, text);
    const Error error = ErrorOf([&] { ReadDocuments(path); });
    EXPECT_EQ(error.kind(), kind);
    EXPECT_THAT(error.what(), HasSubstr(path.string() + message));
  }

  const testing::TemporaryFolder folder_;
};

TEST_F(DatasetTest, PlainTextIsOneDocument) {
  EXPECT_THAT(ReadDocuments(Write("a.txt", "one\n\ntwo\n")), ElementsAre("one\n\ntwo\n"));
  EXPECT_THAT(ReadDocuments(Write("a.raw", "{\"text\": 1}")), ElementsAre("{\"text\": 1}"));
}

TEST_F(DatasetTest, EveryFormOfJsonGivesItsTexts) {
  const std::string lines = "{\"text\": \"one\"}\r\n\n{\"text\": \"tw\\u00f6\", \"url\": null}\n";
  EXPECT_THAT(ReadDocuments(Write("a.jsonl", lines)), ElementsAre("one", "twö"));
  EXPECT_THAT(ReadDocuments(Write("a.json", lines)), ElementsAre("one", "twö"));
  EXPECT_THAT(ReadDocuments(Write("b.json", "\xEF\xBB\xBF" + lines)), ElementsAre("one", "twö"));
  EXPECT_THAT(ReadDocuments(Write("c.json", "[{\"text\": \"one\"},\n {\"text\": \"two\"}]")),
              ElementsAre("one", "two"));
  EXPECT_THAT(ReadDocuments(Write("d.json", "{\n  \"text\": \"one\"\n}\n")), ElementsAre("one"));
}

TEST_F(DatasetTest, FaultsNameFileAndLine) {
  const auto input = ErrorKind::kInput;
  const std::string good = "{\"text\": \"x\"}\n";
  ExpectFault("a.jsonl", good + "{\"txt\": \"x\"}", input, ":2: expected a key \"text\"");
  ExpectFault("b.jsonl", good + "{\"text\": 5}", input, ":2: expected a key \"text\"");
  ExpectFault("c.jsonl", good + "\n{\"text\": \"x", input, ":3: expected valid JSON");
  ExpectFault("d.json", good + "5", input, ":2: expected an object");
  ExpectFault("e.json", "[{\"text\": \"x\"}, {}]", input, ": [1]: expected a key \"text\"");
  ExpectFault("f.txt", std::string("a\nb\nc\0d", 7), input, ":3: expected text in UTF-8");
  ExpectFault("g.txt", "a\n\xFF", input, ":2: expected text in UTF-8");
  ExpectFault("h.txt", "", input, ": expected at least one document");
  ExpectFault("i.jsonl", "\n\n", input, ": expected at least one document");
  ExpectFault("j.json", "[]", input, ": expected at least one document");
  ExpectFault("l.jsonl", good + std::string(100'000, '['), input, ":2: expected valid JSON");
  ExpectFault("m.jsonl", good + R"({"text": "\ud800"})", input, ":2: expected valid JSON");
  ExpectFault("k.jsonl.gz", "no gzip", input, ": expected a whole gzip file");
}

TEST_F(DatasetTest, LinesOfAnyFileAreDocumentsOneEach) {
  const std::string lines =
      "\xEF\xBB\xBF{\"text\": \"one\"}\r\n{\"text\": \"\"}\n{\"text\": \"two\"}";
  EXPECT_THAT(ReadDocumentLines(Write("lines", lines)), ElementsAre("one", "", "two"));
  EXPECT_THAT(ReadDocumentLines(Write("lines.txt", lines + "\n")), ElementsAre("one", "", "two"));
  EXPECT_TRUE(ReadDocumentLines(Write("empty", "")).empty());
  const Error blank = ErrorOf([&] { ReadDocumentLines(Write("lines", lines + "\n\n")); });
  EXPECT_EQ(blank.kind(), ErrorKind::kInput);
  EXPECT_THAT(blank.what(), HasSubstr("lines:4: expected a JSON object"));
}

TEST_F(DatasetTest, TextOfAnyNameIsUtf8) {
  EXPECT_EQ(ReadText(Write("notes", "tw\xC3\xB6")), "tw\xC3\xB6");
  const Error error = ErrorOf([&] { ReadText(Write("notes", "a\n\xC3")); });
  EXPECT_THAT(error.what(), HasSubstr("notes:2: expected text in UTF-8"));
  EXPECT_THAT(error.parts().hint, HasSubstr("Convert it to UTF-8"));
}

TEST_F(DatasetTest, ConversationsAndForeignFormatsAreUnsupported) {
  ExpectFault("a.jsonl", "{\"messages\": []}", ErrorKind::kUnsupported, ":1: expected a key");
  ExpectFault("a.jsonl", "{\"conversations\": []}", ErrorKind::kInput,
              ":1: expected a key \"messages\"");
  ExpectFault("a.parquet", "PAR1", ErrorKind::kUnsupported, ": expected .txt, .raw");
  EXPECT_EQ(ErrorOf([&] { ReadDocuments(folder_.path() / "absent.txt"); }).kind(),
            ErrorKind::kInput);
}

TEST_F(DatasetTest, ReadsPackedCorpora) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  const auto corpora = testing::SharedPath("corpora");
  EXPECT_GT(ReadDocuments(corpora / "c4/c4_heldout_sample.json.gz").size(), 100U);
  EXPECT_GT(ReadDocuments(corpora / "wikipedia_calibration.jsonl.gz").size(), 100U);
}

TEST_F(DatasetTest, TokenIdsAreToldFromDocumentsAndRead) {
  const auto ids = Write("ids.json", "{\"name\": \"x\", \"input_ids\": [3, 0, 2147483647]}");
  EXPECT_TRUE(HoldsTokenIds(ids));
  EXPECT_THAT(ReadTokenIds(ids), ElementsAre(3, 0, 2147483647));
  EXPECT_FALSE(HoldsTokenIds(Write("a.json", "{\"text\": \"input_ids\"}")));
  EXPECT_FALSE(HoldsTokenIds(Write("b.json", "{\"input_ids\": []}\n{}")));
  EXPECT_FALSE(HoldsTokenIds(Write("c.txt", "{\"input_ids\": []}")));
}

TEST_F(DatasetTest, TokenIdsOutOfRangeAreRefused) {
  for (const char* ids : {"[1, -1]", "[1, 2147483648]", "[1, 1.5]", "[1, \"2\"]", "7"}) {
    const auto path = Write("ids.json", std::string("{\"input_ids\": ") + ids + "}");
    EXPECT_EQ(ErrorOf([&] { ReadTokenIds(path); }).kind(), ErrorKind::kInput) << ids;
  }
}

TEST_F(DatasetTest, NamesAreLookedUpInTheDataFolder) {
  Write("wikitext2/wiki.test.raw", "x");
  EXPECT_EQ(FindDataset("wikitext2", folder_.path()), folder_.path() / "wikitext2/wiki.test.raw");
  Write("wikitext-2-raw/wiki.test.raw", "x");
  EXPECT_EQ(FindDataset("wikitext2", folder_.path()),
            folder_.path() / "wikitext-2-raw/wiki.test.raw");
  Write("c4/c4_heldout_sample.json.gz", "x");
  EXPECT_EQ(FindDataset("c4", folder_.path()), folder_.path() / "c4/c4_heldout_sample.json.gz");
  Write("c4-validation.00001-of-00008.json.gz", "x");
  Write("c4-validation.00000-of-00008.json.gz", "x");
  EXPECT_EQ(FindDataset("c4", folder_.path()),
            folder_.path() / "c4-validation.00000-of-00008.json.gz");
}

TEST_F(DatasetTest, AnyOtherNameIsAPath) {
  const auto path = Write("my.txt", "x");
  EXPECT_EQ(FindDataset(path.string(), ""), path);
}

TEST_F(DatasetTest, UnknownNamesAreAnsweredWithTheKnownOnes) {
  const Error unknown = ErrorOf([&] { FindDataset("wikitext3", folder_.path()); });
  EXPECT_EQ(unknown.kind(), ErrorKind::kInput);
  EXPECT_THAT(unknown.what(), HasSubstr("wikitext2, c4 or the path of a file"));
  EXPECT_EQ(unknown.parts().hint, "Did you mean wikitext2?");
  const Error absent = ErrorOf([&] { FindDataset("c4", folder_.path()); });
  EXPECT_THAT(absent.what(), HasSubstr("c4-validation*.json.gz"));
  EXPECT_THAT(absent.what(), HasSubstr(folder_.path().string()));
  EXPECT_THAT(absent.what(), HasSubstr("--data-dir"));
  EXPECT_THAT(ErrorOf([&] { FindDataset("c4", ""); }).what(), HasSubstr("no data folder"));
}

class CalibrationTest : public DatasetTest {
 protected:
  // Documents numbered from `first`, each told by its number.
  std::filesystem::path WriteDocuments(const std::string& name, int first, int count) const {
    std::string lines;
    for (int i = first; i < first + count; ++i) {
      lines += "{\"text\": \"document number " + std::to_string(i) + " of the file\"}\n";
    }
    return Write(name, lines);
  }

  const Tokenizer tokenizer_ = Tokenizer::Load(testing::DataPath("tiny-llama/tokenizer.json"));
};

TEST_F(CalibrationTest, SequencesHaveTheLengthAskedForAndDocumentsBeginWithBos) {
  const auto file = WriteDocuments("a.jsonl", 100, 50);
  const CalibrationOptions options{.sequences = 5, .length = 16, .seed = 1, .bos_id = 0};
  const auto sequences = CalibrationSequences(tokenizer_, {file}, options);
  ASSERT_EQ(sequences.size(), 5U);
  std::vector<int32_t> all;
  for (const auto& sequence : sequences) {
    EXPECT_EQ(sequence.size(), 16U);
    all.insert(all.end(), sequence.begin(), sequence.end());
  }
  const auto per_document = std::ssize(tokenizer_.Encode("document number 100 of the file", true));
  EXPECT_GE(std::ranges::count(all, 0), std::ssize(all) / per_document);
}

// A template writes the BOS that a conversation needs: with another one before it there would be
// two.
TEST_F(CalibrationTest, ConversationsAreWrittenOutWithoutABosBeforeThem) {
  const auto file = Write("a.jsonl", "{\"messages\": [1]}\n{\"messages\": [2], \"tools\": []}\n");
  CalibrationOptions options{.sequences = 2, .length = 4, .seed = 1, .bos_id = 0};
  EXPECT_EQ(ErrorOf([&] { CalibrationSequences(tokenizer_, {file}, options); }).kind(),
            ErrorKind::kUnsupported);
  std::vector<std::string> places;
  options.write_conversation = [&](const io::JsonObject& conversation) {
    places.push_back(conversation.where());
    return "<|begin_of_text|>the words of number " + conversation.json().at("messages").dump();
  };
  const auto sequences = CalibrationSequences(tokenizer_, {file}, options);
  EXPECT_THAT(places, ElementsAre(file.string() + ":1", file.string() + ":2"));
  std::vector<int32_t> all = sequences[0];
  all.insert(all.end(), sequences[1].begin(), sequences[1].end());
  const auto bos = tokenizer_.TokenToId("<|begin_of_text|>");
  ASSERT_TRUE(bos.has_value());
  EXPECT_EQ(
      std::ranges::adjacent_find(all, [&](int32_t a, int32_t b) { return a == b && a == *bos; }),
      all.end());
  EXPECT_GE(std::ranges::count(all, *bos), 1);
}

TEST_F(CalibrationTest, TheSeedDecidesAndNothingElse) {
  const auto file = WriteDocuments("a.jsonl", 100, 50);
  CalibrationOptions options{.sequences = 5, .length = 16, .seed = 1};
  const auto sequences = CalibrationSequences(tokenizer_, {file}, options);
  EXPECT_EQ(CalibrationSequences(tokenizer_, {file}, options), sequences);
  options.seed = 2;
  EXPECT_NE(CalibrationSequences(tokenizer_, {file}, options), sequences);
}

TEST_F(CalibrationTest, FilesGiveEqualShares) {
  const auto letters = Write("a.txt", std::string(5000, 'a'));
  const auto spaces = Write("b.txt", std::string(5000, 'b'));
  const CalibrationOptions options{.sequences = 5, .length = 8, .seed = 3};
  int of_letters = 0;
  for (const auto& sequence : CalibrationSequences(tokenizer_, {letters, spaces}, options)) {
    of_letters += tokenizer_.Decode(sequence, false).starts_with('a') ? 1 : 0;
  }
  EXPECT_EQ(of_letters, 3);
}

TEST_F(CalibrationTest, LongDocumentsAreCutAndAPlainTextIsUsedWhole) {
  const std::string text(50000, 'x');
  const auto tokens = std::ssize(tokenizer_.Encode(text, false));
  const CalibrationOptions options{.sequences = 1, .length = tokens * 9 / 10, .seed = 0};
  EXPECT_EQ(CalibrationSequences(tokenizer_, {Write("a.txt", text)}, options).size(), 1U);
  const auto two = Write("a.jsonl", "{\"text\": \"" + text + "\"}\n{\"text\": \"y\"}\n");
  EXPECT_EQ(ErrorOf([&] { CalibrationSequences(tokenizer_, {two}, options); }).kind(),
            ErrorKind::kInput);
}

TEST_F(CalibrationTest, TooLittleTextIsToldInTokens) {
  const auto file = Write("a.txt", "too short");
  const auto found = tokenizer_.Encode("too short", false).size();
  const CalibrationOptions options{.sequences = 2, .length = 64};
  const Error error = ErrorOf([&] { CalibrationSequences(tokenizer_, {file}, options); });
  EXPECT_EQ(error.kind(), ErrorKind::kInput);
  EXPECT_THAT(error.what(), HasSubstr("expected 128 tokens for 2 sequences of 64, found"));
  EXPECT_THAT(error.what(), HasSubstr("found " + std::to_string(found)));
  const CalibrationOptions held_out{.sequences = 12, .held_out = 8, .length = 64};
  EXPECT_THAT(ErrorOf([&] { CalibrationSequences(tokenizer_, {file}, held_out); }).what(),
              HasSubstr("12 sequences of 64 (4 to calibrate and 8 held out)"));
  EXPECT_THAT(ErrorOf([&] {
                CalibrationSequences(tokenizer_, {file, file}, held_out);
              }).what(),
              HasSubstr("6 sequences of 64 (its share of 4 to calibrate and 8 held out)"));
}

TEST_F(CalibrationTest, TooLittleTextIsToldWhatItIsEnoughFor) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "word " + std::to_string(i) + "\n";
  const auto file = Write("a.txt", text);
  CalibrationOptions options{.sequences = 108, .held_out = 8, .length = 64};
  for (const std::vector<std::filesystem::path>& files :
       {std::vector{file}, std::vector{file, file}}) {
    const std::string message =
        ErrorOf([&] { CalibrationSequences(tokenizer_, files, options); }).what();
    const std::string before = "fewer sequences: it is enough for --calib-sequences ";
    const size_t begin = message.find(before);
    ASSERT_NE(begin, std::string::npos) << message;
    const int64_t fitting = std::stoll(message.substr(begin + before.size()));
    CalibrationOptions fewer = options;
    fewer.sequences = fitting + options.held_out;
    EXPECT_EQ(CalibrationSequences(tokenizer_, files, fewer).size(), fewer.sequences);
    fewer.sequences += std::ssize(files);
    EXPECT_THAT(ErrorOf([&] { CalibrationSequences(tokenizer_, files, fewer); }).what(),
                HasSubstr(before));
  }
}

TEST_F(CalibrationTest, MixesRealCorpora) {
  PAROQUANT_SKIP_WITHOUT_SHARED();
  const auto corpora = testing::SharedPath("corpora");
  const CalibrationOptions options{.sequences = 64, .length = 512, .seed = 0, .bos_id = 0};
  const auto sequences = CalibrationSequences(
      tokenizer_,
      {corpora / "wikipedia_calibration.jsonl.gz", corpora / "c4/c4_train_sample.json.gz"},
      options);
  EXPECT_EQ(sequences.size(), 64U);
  EXPECT_EQ(std::set(sequences.begin(), sequences.end()).size(), 64U);
}

}  // namespace
}  // namespace paroquant::text
