// Tokenizers as Hugging Face's tokenizer.json describes them.
#ifndef PAROQUANT_TEXT_TOKENIZER_H_
#define PAROQUANT_TEXT_TOKENIZER_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace paroquant::text {

// A byte-pair encoding tokenizer: byte-level ones (GPT-2, Llama 3, Qwen, ...) and those that came
// from sentencepiece (Llama 2, Mistral, Gemma, ...). Gives the same ids as the library that
// defines the format. Immutable and safe to share among threads; copies are cheap.
class Tokenizer {
 public:
  // Reads a tokenizer.json. Its "truncation" and "padding" are ignored: they are settings of the
  // last training run, not of the tokenizer. Throws kSystem; kInput if the file is damaged;
  // kUnsupported, naming it, for another kind of model (Unigram, WordPiece, ...) or an unknown
  // normalizer, pre-tokenizer, post-processor or decoder.
  static Tokenizer Load(const std::filesystem::path& tokenizer_json);

  // The ids of `text`. Special tokens spelled out in it count as such; `add_special_tokens` also
  // puts those of the post-processor around it (usually BOS). Ill-formed UTF-8 becomes U+FFFD.
  // Throws kUnsupported if a pattern of the tokenizer can't be matched against the text.
  std::vector<int32_t> Encode(std::string_view text, bool add_special_tokens) const;

  // The text of `ids`; those that have no token are left out. Bytes that make no whole characters
  // become U+FFFD.
  std::string Decode(std::span<const int32_t> ids, bool skip_special_tokens) const;

  // The highest id + 1, added tokens included.
  int64_t vocab_size() const;

  // The id of a token as the file spells it ("Ġthe", "<|endoftext|>").
  std::optional<int32_t> TokenToId(std::string_view token) const;
  // True for an id of a token that is no text, but says something of it.
  bool IsSpecial(int32_t id) const;
  // Empty for an id without a token; valid as long as this tokenizer or a copy.
  std::string_view IdToToken(int32_t id) const;

 private:
  struct Parts;

  explicit Tokenizer(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}

  std::shared_ptr<const Parts> parts_;
};

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_TOKENIZER_H_
