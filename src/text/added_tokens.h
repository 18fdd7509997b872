// Added tokens are found in the text before everything else and are never cut.
#ifndef PAROQUANT_TEXT_ADDED_TOKENS_H_
#define PAROQUANT_TEXT_ADDED_TOKENS_H_

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "paroquant/io/json.h"
#include "text/regex.h"

namespace paroquant::text {

struct AddedToken {
  std::string content;
  int64_t id;
  bool single_word;  // found only where no word character is beside it
  bool lstrip;       // takes the whitespace before it
  bool rstrip;       // takes the whitespace behind it
  bool normalized;   // found in the normalized text instead of the original
  bool special;      // left out by Decode on demand
};

// The tokens under the key "added_tokens" of a tokenizer file. Throws kInput.
std::vector<AddedToken> LoadAddedTokens(const io::JsonObject& tokenizer);

// Finds added tokens by their `content`, from left to right, the longest first.
class AddedTokenFinder {
 public:
  // Tokens without content are left out.
  explicit AddedTokenFinder(std::vector<AddedToken> tokens);

  // A part of a text: an added token, or what lies between two. None is empty.
  struct Part {
    Span span;
    std::optional<int32_t> id;
  };
  std::vector<Part> Split(std::string_view text) const;

 private:
  const AddedToken* LongestAt(std::string_view text, size_t position) const;

  std::vector<AddedToken> tokens_;  // ascending by content
  std::bitset<256> first_bytes_;    // of the contents
};

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_ADDED_TOKENS_H_
