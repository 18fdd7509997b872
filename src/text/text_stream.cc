#include "paroquant/text/text_stream.h"

#include <algorithm>
#include <utility>

#include "paroquant/base/utf8.h"
#include "text/decoder.h"
#include "text/unicode.h"

namespace paroquant::text {

TextStream::TextStream(Tokenizer tokenizer, const std::vector<int32_t>& before)
    : tokenizer_(std::move(tokenizer)),
      ids_(before),
      context_(before.size()),
      given_(Decode().size()) {}

std::string TextStream::Add(int32_t id) {
  const std::string_view token = tokenizer_.IdToToken(id);
  if (tokenizer_.IsSpecial(id) || token.empty()) return "";
  ids_.push_back(id);
  in_bytes_ = ByteOf(token).has_value();
  const std::string text = Decode();
  if (in_bytes_ || text.ends_with(kReplacementCharacter)) return "";
  std::string piece = NotGiven(text);
  // Only ids with a text are a context: the first of them may lose a space.
  std::vector<int32_t> all =
      std::exchange(ids_, {ids_.begin() + static_cast<std::ptrdiff_t>(context_), ids_.end()});
  given_ = Decode().size();
  if (given_ == 0) {
    ids_ = std::move(all);
    given_ = text.size();
  }
  context_ = ids_.size();
  return piece;
}

std::string TextStream::Finish() const { return NotGiven(Decode()); }

// A run of bytes that turns out to be no text is spelled differently from its first byte on: what
// was given before may end inside a character of the new spelling.
std::string TextStream::NotGiven(const std::string& text) const {
  size_t start = std::min(given_, text.size());
  while (start < text.size() && IsUtf8Continuation(text[start])) ++start;
  return text.substr(start);
}

}  // namespace paroquant::text
