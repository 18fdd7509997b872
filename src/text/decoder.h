// Decoders turn tokens back into text.
#ifndef PAROQUANT_TEXT_DECODER_H_
#define PAROQUANT_TEXT_DECODER_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "paroquant/io/json.h"

namespace paroquant::text {

class Decoder {
 public:
  virtual ~Decoder() = default;
  // Rewrites the tokens; joined, they are the text. All are valid UTF-8.
  virtual std::vector<std::string> Decode(std::vector<std::string> tokens) const = 0;
};

// The byte that a token like "<0xE2>" stands for: one of a character that has no token.
std::optional<char> ByteOf(std::string_view token);

// The decoder under the key "decoder" of a tokenizer file; null there: one that puts a space
// between tokens. Throws kInput, kUnsupported.
std::unique_ptr<Decoder> LoadDecoder(const io::JsonObject& tokenizer);

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_DECODER_H_
