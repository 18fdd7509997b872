// Pre-tokenizers: the second step of encoding cuts the normalized text into pieces, none of whose
// borders a token crosses.
#ifndef PAROQUANT_TEXT_PRE_TOKENIZER_H_
#define PAROQUANT_TEXT_PRE_TOKENIZER_H_

#include <memory>
#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "text/regex.h"

namespace paroquant::text {

// A text cut into pieces. What lies between the spans has been removed.
struct Pieces {
  std::string text;         // valid UTF-8
  std::vector<Span> spans;  // ascending, apart, none empty
  bool starts_document;     // no part of the document came before `text`
};

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // Cuts every piece further, and may rewrite it.
  virtual void Cut(Pieces& pieces) const = 0;
};

// The pre-tokenizer under the key "pre_tokenizer" of a tokenizer file; null there: one that leaves
// the pieces whole. Throws kInput, kUnsupported.
std::unique_ptr<PreTokenizer> LoadPreTokenizer(const io::JsonObject& tokenizer);

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_PRE_TOKENIZER_H_
