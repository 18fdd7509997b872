// The text of token ids that come one after the other.
#ifndef PAROQUANT_TEXT_TEXT_STREAM_H_
#define PAROQUANT_TEXT_TEXT_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "paroquant/text/tokenizer.h"

namespace paroquant::text {

// Gives what Tokenizer::Decode of all ids, without special tokens, gives behind the text of the ids
// before: all pieces, joined. The work for an id does not grow with the number of those before it,
// but for a run of byte tokens, which is text or not as a whole and is held back until it ends.
class TextStream {
 public:
  TextStream(Tokenizer tokenizer, const std::vector<int32_t>& before);

  // The text that `id` completes: none as long as later ids could still change it, because it ends
  // inside a character.
  std::string Add(int32_t id);
  // What has been held back.
  std::string Finish() const;

 private:
  std::string NotGiven(const std::string& text) const;
  std::string Decode() const { return tokenizer_.Decode(ids_, /*skip_special_tokens=*/true); }

  Tokenizer tokenizer_;
  // The ids whose text has been given last, `context_` of them, and those that have none yet: how a
  // token is spelled depends on whether it is a text's first.
  std::vector<int32_t> ids_;
  size_t context_;
  size_t given_;           // bytes of the context's text
  bool in_bytes_ = false;  // the last token is a byte, and the next may make a character of it
};

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_TEXT_STREAM_H_
