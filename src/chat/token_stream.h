// The tokens of a template as a parser goes through them.
#ifndef PAROQUANT_CHAT_TOKEN_STREAM_H_
#define PAROQUANT_CHAT_TOKEN_STREAM_H_

#include <string>
#include <string_view>
#include <vector>

#include "chat/fault.h"
#include "chat/lexer.h"

namespace paroquant::chat {

class TokenStream {
 public:
  explicit TokenStream(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  const Token& current() const { return tokens_[next_]; }
  int line() const { return current().line; }

  // The current token, from which this moves on; a kEnd stays.
  const Token& Take();
  bool Is(TokenKind kind) const { return current().kind == kind; }
  bool IsOperator(std::string_view text) const { return Is(TokenKind::kOperator, text); }
  bool IsName(std::string_view text) const { return Is(TokenKind::kName, text); }
  // Whether the token behind the current one is this.
  bool NextIs(TokenKind kind, std::string_view text) const;

  // Takes the token if it is this operator or name.
  bool TakeOperator(std::string_view text);
  bool TakeName(std::string_view text);

  // The token taken, which must be of this kind, or this operator or name. Throw Fault.
  const Token& Expect(TokenKind kind, std::string_view what);
  void ExpectOperator(std::string_view text);
  void ExpectName(std::string_view text);

  // At the current token.
  [[noreturn]] void FailExpected(std::string_view what) const;
  [[noreturn]] void FailUnsupported(const std::string& what) const;

 private:
  bool Is(TokenKind kind, std::string_view text) const {
    return current().kind == kind && current().text == text;
  }

  std::vector<Token> tokens_;
  size_t next_ = 0;
};

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_TOKEN_STREAM_H_
