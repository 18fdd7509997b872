// Normalizers: the first step of encoding rewrites the text.
#ifndef PAROQUANT_TEXT_NORMALIZER_H_
#define PAROQUANT_TEXT_NORMALIZER_H_

#include <memory>
#include <string>

#include "paroquant/io/json.h"

namespace paroquant::text {

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  // `text` must be valid UTF-8, and so is the result. Throws kUnsupported if that is no modest
  // growth.
  virtual std::string Normalize(std::string text) const = 0;
};

// The normalizer under the key "normalizer" of a tokenizer file; null there: one that changes
// nothing. Throws kInput, kUnsupported.
std::unique_ptr<Normalizer> LoadNormalizer(const io::JsonObject& tokenizer);

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_NORMALIZER_H_
