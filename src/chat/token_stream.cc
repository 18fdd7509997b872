#include "chat/token_stream.h"

#include <fmt/format.h>

namespace paroquant::chat {

const Token& TokenStream::Take() {
  const Token& token = current();
  if (token.kind != TokenKind::kEnd) ++next_;
  return token;
}

bool TokenStream::NextIs(TokenKind kind, std::string_view text) const {
  return next_ + 1 < tokens_.size() && tokens_[next_ + 1].kind == kind &&
         tokens_[next_ + 1].text == text;
}

bool TokenStream::TakeOperator(std::string_view text) {
  if (!IsOperator(text)) return false;
  Take();
  return true;
}

bool TokenStream::TakeName(std::string_view text) {
  if (!IsName(text)) return false;
  Take();
  return true;
}

const Token& TokenStream::Expect(TokenKind kind, std::string_view what) {
  if (!Is(kind)) FailExpected(what);
  return Take();
}

void TokenStream::ExpectOperator(std::string_view text) {
  if (!TakeOperator(text)) FailExpected(fmt::format("\"{}\"", text));
}

void TokenStream::ExpectName(std::string_view text) {
  if (!TakeName(text)) FailExpected(fmt::format("\"{}\"", text));
}

void TokenStream::FailExpected(std::string_view what) const {
  throw Fault(fmt::format("{} where {} is due", Describe(current()), what), Fault::Kind::kWrong,
              line());
}

void TokenStream::FailUnsupported(const std::string& what) const {
  throw Fault(what, Fault::Kind::kUnsupported, line());
}

}  // namespace paroquant::chat
