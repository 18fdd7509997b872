#include "paroquant/text/text_stream.h"

#include <gtest/gtest.h>

#include <string>

#include "paroquant/base/rng.h"
#include "paroquant/io/json.h"
#include "tests/testing/paths.h"
#include "tests/testing/processor_time.h"
#include "text/unicode.h"

namespace paroquant::text {
namespace {

using Ids = std::vector<int32_t>;

class TextStreamTest : public ::testing::TestWithParam<const char*> {
 protected:
  // Streams ids[before...] and compares with decoding at once, where that gives the text of the
  // first `before` ids as its beginning.
  void ExpectSameText(const Ids& ids, size_t before) const {
    const Ids first(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(before));
    const std::string whole = tokenizer_.Decode(ids, /*skip_special_tokens=*/true);
    std::string text = tokenizer_.Decode(first, /*skip_special_tokens=*/true);
    const bool goes_on = whole.starts_with(text);
    TextStream stream(tokenizer_, first);
    for (size_t i = before; i < ids.size(); ++i) {
      const std::string piece = stream.Add(ids[i]);
      EXPECT_EQ(ValidUtf8Prefix(piece), piece.size()) << "a part of a character";
      text += piece;
    }
    const std::string last = stream.Finish();
    EXPECT_EQ(ValidUtf8Prefix(last), last.size()) << "a part of a character";
    if (goes_on) {
      EXPECT_EQ(text + last, whole) << "behind " << before << " ids";
    }
  }

  const std::filesystem::path folder_ =
      testing::GoldenPath(std::filesystem::path("tokenizers") / GetParam());
  const Tokenizer tokenizer_ = Tokenizer::Load(folder_ / "tokenizer.json");
};

TEST_P(TextStreamTest, GivesWhatDecodingAtOnceGives) {
  for (const io::Json& vector : io::ReadJsonFile(folder_ / "vectors.json")) {
    const auto ids = vector.at("ids_special").get<Ids>();
    // About 32 beginnings, so that time grows with a text's length and not with its square.
    const size_t step = 1 + ids.size() / 32;
    for (size_t before = 0; before < ids.size(); before += step) ExpectSameText(ids, before);
    ExpectSameText(ids, ids.size());
  }
}

// Characters of one to four bytes, some of them no token, and spaces at every place.
TEST_P(TextStreamTest, HoldsPartsOfCharactersBack) {
  const Ids ids = tokenizer_.Encode(" é中文 👩‍🚀  x\n \u0E01\u0E33 𝔘 end ", true);
  for (size_t before = 0; before <= ids.size(); ++before) ExpectSameText(ids, before);
}

TEST_P(TextStreamTest, TokensInAnyOrderAreNoFault) {
  Rng rng(7);
  for (int repetition = 0; repetition < 20; ++repetition) {
    Ids ids(100);
    for (int32_t& id : ids) {
      id = static_cast<int32_t>(rng.Below(static_cast<uint64_t>(tokenizer_.vocab_size())));
    }
    for (const size_t before : {0U, 1U, 50U}) ExpectSameText(ids, before);
  }
}

TEST_P(TextStreamTest, WordsAreGivenAtOnce) {
  TextStream stream(tokenizer_, tokenizer_.Encode("The", true));
  std::string text;
  for (const int32_t id : tokenizer_.Encode("a b c", false)) text += stream.Add(id);
  EXPECT_TRUE(text.ends_with("a b c")) << text;
}

TEST_P(TextStreamTest, LongTextsTakeSeconds) {
  const Ids ids = tokenizer_.Encode("a word and ", false);
  TextStream stream(tokenizer_, {});
  const double start = testing::ProcessorSeconds();
  for (size_t i = 0; i < 100'000; ++i) {
    stream.Add(ids[i % ids.size()]);
    stream.Add(static_cast<int32_t>(tokenizer_.vocab_size()) + 7);  // of a padded vocabulary
  }
  const double seconds = testing::ProcessorSeconds() - start;
  // A generous bound for slow machines and sanitizers: what grows with the square takes minutes.
  EXPECT_LT(seconds, 30);
}

INSTANTIATE_TEST_SUITE_P(Goldens, TextStreamTest,
                         ::testing::Values("gemma_style", "gpt2_prefix_space", "gpt2_style",
                                           "llama2_style", "llama3_style", "mistral_metaspace",
                                           "starcoder_style"),
                         [](const auto& style) { return std::string(style.param); });

}  // namespace
}  // namespace paroquant::text
