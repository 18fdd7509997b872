#include "text/pre_tokenizer.h"

#include <fmt/format.h>

#include <utility>

#include "text/byte_level.h"
#include "text/component.h"
#include "text/growth.h"
#include "text/pattern.h"
#include "text/split.h"
#include "text/unicode.h"

namespace paroquant::text {
namespace {

class PreTokenizerSequence : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(std::vector<std::unique_ptr<PreTokenizer>> steps)
      : steps_(std::move(steps)) {}
  void Cut(Pieces& pieces) const override {
    const size_t before = pieces.text.size();
    for (const auto& step : steps_) {
      step->Cut(pieces);
      RequireModestGrowth(before, pieces.text.size());
    }
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> steps_;
};

// Cuts at matches and rewrites nothing.
class Splitter : public PreTokenizer {
 public:
  Splitter(MatchFinder find_matches, SplitBehavior behavior, bool inverted)
      : find_matches_(std::move(find_matches)), behavior_(behavior), inverted_(inverted) {}
  void Cut(Pieces& pieces) const override {
    SplitPieces(find_matches_, behavior_, inverted_, pieces);
  }

 private:
  MatchFinder find_matches_;
  SplitBehavior behavior_;
  bool inverted_;
};

std::unique_ptr<PreTokenizer> SplitAtCharacters(bool (*predicate)(char32_t),
                                                SplitBehavior behavior) {
  return std::make_unique<Splitter>(CharacterFinder(predicate), behavior, /*inverted=*/false);
}

std::unique_ptr<PreTokenizer> SplitAtPattern(Pattern pattern, SplitBehavior behavior,
                                             bool inverted) {
  const auto shared = std::make_shared<const Pattern>(std::move(pattern));
  auto find_matches = [shared](std::string_view text, const std::function<void(Span)>& visit) {
    shared->ForEachMatch(text, visit);
  };
  return std::make_unique<Splitter>(std::move(find_matches), behavior, inverted);
}

// Rewrites each piece by rewrite(piece, first in document, text to append to).
template <typename Rewrite>
void RewritePieces(Pieces& pieces, const Rewrite& rewrite) {
  std::string text;
  text.reserve(pieces.text.size());
  for (Span& span : pieces.spans) {
    const bool starts_document = pieces.starts_document && span.begin == 0;
    const size_t begin = text.size();
    rewrite(span.In(pieces.text), starts_document, text);
    span = {.begin = begin, .end = text.size()};
  }
  pieces.text = std::move(text);
}

class ByteLevel : public PreTokenizer {
 public:
  explicit ByteLevel(const io::JsonObject& json)
      : adds_prefix_space_(json.GetOr("add_prefix_space", true)) {
    if (json.GetOr("use_regex", true)) {
      words_ = SplitAtPattern(Pattern(Regex(kWords, json.where())), SplitBehavior::kIsolated,
                              /*inverted=*/false);
    }
  }

  void Cut(Pieces& pieces) const override {
    if (adds_prefix_space_) {
      RewritePieces(pieces, [](std::string_view piece, bool /*starts*/, std::string& text) {
        if (!piece.starts_with(' ')) text += ' ';
        text += piece;
      });
    }
    if (words_ != nullptr) words_->Cut(pieces);
    RewritePieces(pieces, [](std::string_view piece, bool /*starts*/, std::string& text) {
      AppendByteLevel(piece, text);
    });
  }

 private:
  // GPT-2's: contractions, words, numbers, other characters, whitespace before a word or not.
  static constexpr std::string_view kWords =
      R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

  bool adds_prefix_space_;
  std::unique_ptr<PreTokenizer> words_;
};

// Which pieces get a replacement character put before them.
enum class PrependScheme { kAlways, kFirst, kNever };

// Files of before 2023 hold "add_prefix_space" in place of a scheme.
PrependScheme LoadPrependScheme(const io::JsonObject& json) {
  const bool prepends = json.GetOr("add_prefix_space", true);
  const auto name = json.GetOr<std::string>("prepend_scheme", prepends ? "always" : "never");
  if (name == "always") return PrependScheme::kAlways;
  if (name == "first") return PrependScheme::kFirst;
  if (name == "never") return PrependScheme::kNever;
  RefuseValue(json, "prepend_scheme", "always, first or never");
}

// Writes spaces as a visible character and begins pieces with it.
class Metaspace : public PreTokenizer {
 public:
  explicit Metaspace(const io::JsonObject& json)
      : replacement_(json.GetOr<std::string>("replacement", "▁")),
        spaces_(" "),
        scheme_(LoadPrependScheme(json)) {
    if (replacement_.empty() || Utf8Length(replacement_.front()) != replacement_.size()) {
      json.Fail("replacement", "one character", fmt::format("{} bytes", replacement_.size()));
    }
    if (json.GetOr("split", true)) {
      words_ = SplitAtPattern(Pattern(replacement_), SplitBehavior::kMergedWithNext,
                              /*inverted=*/false);
    }
  }

  void Cut(Pieces& pieces) const override {
    RewritePieces(pieces, [this](std::string_view piece, bool starts_document, std::string& text) {
      const std::string replaced = spaces_.Replace(piece, replacement_);
      const bool prepends = scheme_ == PrependScheme::kAlways ||
                            (scheme_ == PrependScheme::kFirst && starts_document);
      if (prepends && !replaced.starts_with(replacement_)) text += replacement_;
      text += replaced;
    });
    if (words_ != nullptr) words_->Cut(pieces);
  }

 private:
  std::string replacement_;
  Pattern spaces_;
  PrependScheme scheme_;
  std::unique_ptr<PreTokenizer> words_;
};

std::unique_ptr<PreTokenizer> LoadPreTokenizerStep(const io::JsonObject& json);

std::unique_ptr<PreTokenizer> LoadSequence(const io::JsonObject& json) {
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  ForEachObject(json, "pretokenizers",
                [&](const io::JsonObject& step) { steps.push_back(LoadPreTokenizerStep(step)); });
  return std::make_unique<PreTokenizerSequence>(std::move(steps));
}

std::unique_ptr<PreTokenizer> LoadPreTokenizerStep(const io::JsonObject& json) {
  const auto type = json.Get<std::string>("type");
  if (type == "Sequence") return LoadSequence(json);
  if (type == "ByteLevel") return std::make_unique<ByteLevel>(json);
  if (type == "Metaspace") return std::make_unique<Metaspace>(json);
  if (type == "Split") {
    return SplitAtPattern(Pattern::Load(json.Object("pattern")), LoadSplitBehavior(json),
                          json.GetOr("invert", false));
  }
  if (type == "Digits") {
    return SplitAtCharacters(&IsNumber, json.GetOr("individual_digits", false)
                                            ? SplitBehavior::kIsolated
                                            : SplitBehavior::kContiguous);
  }
  if (type == "Punctuation") {
    const bool has_behavior = json.Has("behavior");
    return SplitAtCharacters(&IsPunctuation,
                             has_behavior ? LoadSplitBehavior(json) : SplitBehavior::kIsolated);
  }
  if (type == "WhitespaceSplit") return SplitAtCharacters(&IsWhitespace, SplitBehavior::kRemoved);
  if (type == "Whitespace") {
    constexpr std::string_view kWords =
        R"([\w\x{200C}\x{200D}]+|[^\w\x{200C}\x{200D}\s]+)";  // joiners belong to words
    return SplitAtPattern(Pattern(Regex(kWords, json.where())), SplitBehavior::kRemoved,
                          /*inverted=*/true);
  }
  RefuseValue(json, "type",
              "ByteLevel, Split, Digits, Metaspace, Punctuation, Whitespace, WhitespaceSplit or "
              "Sequence");
}

}  // namespace

std::unique_ptr<PreTokenizer> LoadPreTokenizer(const io::JsonObject& tokenizer) {
  if (tokenizer.Has("pre_tokenizer")) {
    return LoadPreTokenizerStep(tokenizer.Object("pre_tokenizer"));
  }
  return std::make_unique<PreTokenizerSequence>(std::vector<std::unique_ptr<PreTokenizer>>{});
}

}  // namespace paroquant::text
