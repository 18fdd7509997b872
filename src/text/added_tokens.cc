#include "text/added_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "text/component.h"
#include "text/unicode.h"

namespace paroquant::text {
namespace {

// At every position of a text as many bytes may be compared.
constexpr size_t kMaxContent = 1024;

std::string Content(const io::JsonObject& token) {
  auto content = token.Get<std::string>("content");
  if (content.size() > kMaxContent) {
    token.Fail("content", fmt::format("at most {} bytes", kMaxContent),
               fmt::format("{}", content.size()));
  }
  return content;
}

bool StandsAlone(std::string_view text, Span match) {
  const std::string_view before = text.substr(0, match.begin);
  size_t next = match.end;
  return (before.empty() || !IsWordCharacter(LastCharacter(before))) &&
         (next == text.size() || !IsWordCharacter(NextCharacter(text, next)));
}

}  // namespace

std::vector<AddedToken> LoadAddedTokens(const io::JsonObject& tokenizer) {
  std::vector<AddedToken> tokens;
  if (!tokenizer.Has("added_tokens")) return tokens;
  ForEachObject(tokenizer, "added_tokens", [&](const io::JsonObject& token) {
    const bool special = token.GetOr("special", false);
    tokens.push_back({.content = Content(token),
                      .id = token.Get<int64_t>("id"),
                      .single_word = token.GetOr("single_word", false),
                      .lstrip = token.GetOr("lstrip", false),
                      .rstrip = token.GetOr("rstrip", false),
                      .normalized = token.GetOr("normalized", !special),
                      .special = special});
  });
  return tokens;
}

AddedTokenFinder::AddedTokenFinder(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::erase_if(tokens_, [](const AddedToken& token) { return token.content.empty(); });
  std::ranges::sort(tokens_, {}, &AddedToken::content);
  for (const AddedToken& token : tokens_) {
    first_bytes_.set(static_cast<unsigned char>(token.content.front()));
  }
}

std::vector<AddedTokenFinder::Part> AddedTokenFinder::Split(std::string_view text) const {
  std::vector<Part> parts;
  size_t taken = 0;  // the end of the last part
  for (size_t position = 0; position < text.size();) {
    const AddedToken* token = LongestAt(text, position);
    if (token == nullptr) {
      ++position;
      continue;
    }
    Span match{.begin = position, .end = position + token->content.size()};
    position = match.end;
    if (token->single_word && !StandsAlone(text, match)) continue;
    if (token->lstrip) match.begin -= TrailingWhitespace(text.substr(0, match.begin));
    if (token->rstrip) match.end += LeadingWhitespace(text.substr(match.end));
    match.begin = std::max(match.begin, taken);
    if (taken < match.begin) parts.push_back({{.begin = taken, .end = match.begin}, std::nullopt});
    parts.push_back({match, static_cast<int32_t>(token->id)});
    taken = std::max(taken, match.end);
  }
  if (taken < text.size()) parts.push_back({{.begin = taken, .end = text.size()}, std::nullopt});
  return parts;
}

// Narrows the sorted tokens byte by byte to those that begin as the text does.
const AddedToken* AddedTokenFinder::LongestAt(std::string_view text, size_t position) const {
  if (!first_bytes_.test(static_cast<unsigned char>(text[position]))) return nullptr;
  const AddedToken* longest = nullptr;
  auto first = tokens_.begin();
  auto last = tokens_.end();
  for (size_t length = 0; first != last; ++length) {
    if (first->content.size() == length) longest = &*first++;
    if (position + length == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[position + length]);
    const auto byte_of = [length](const AddedToken& token) {
      return static_cast<unsigned char>(token.content[length]);
    };
    first = std::ranges::lower_bound(first, last, byte, {}, byte_of);
    last = std::ranges::upper_bound(first, last, byte, {}, byte_of);
  }
  return longest;
}

}  // namespace paroquant::text
