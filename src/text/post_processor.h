// Post-processors: the last step of encoding puts special tokens around the ids.
#ifndef PAROQUANT_TEXT_POST_PROCESSOR_H_
#define PAROQUANT_TEXT_POST_PROCESSOR_H_

#include <cstdint>
#include <vector>

#include "paroquant/io/json.h"

namespace paroquant::text {

// The ids that go around those of one text.
struct SpecialFrame {
  std::vector<int32_t> before;
  std::vector<int32_t> after;
};

// The frame that "post_processor" of a tokenizer file puts around a single text; ids are in
// [0, vocabulary_size). Throws kInput, kUnsupported.
SpecialFrame LoadSpecialFrame(const io::JsonObject& tokenizer, int64_t vocabulary_size);

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_POST_PROCESSOR_H_
