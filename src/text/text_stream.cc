#include "paroquant/text/text_stream.h"

#include <algorithm>
#include <utility>

#include "text/decoder.h"
#include "text/unicode.h"

namespace paroquant::text {

TextStream::TextStream(Tokenizer tokenizer, const std::vector<int32_t>& before)
    : tokenizer_(std::move(tokenizer)),
      ids_(before),
      context_(before.size()),
      given_(Decode().size()) {}

std::string TextStream::Add(int32_t id) {
  if (tokenizer_.IsSpecial(id)) return "";
  ids_.push_back(id);
  const std::string_view token = tokenizer_.IdToToken(id);
  if (!token.empty()) in_bytes_ = ByteOf(token).has_value();
  const std::string text = Decode();
  if (in_bytes_ || text.ends_with(kReplacementCharacter)) return "";
  std::string piece = text.substr(std::min(given_, text.size()));
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

std::string TextStream::Finish() const {
  const std::string text = Decode();
  return text.substr(std::min(given_, text.size()));
}

}  // namespace paroquant::text
