// A template's text as tokens, with Jinja's control of white space as transformers sets it:
// trim_blocks, lstrip_blocks, and no newline at the end.
#ifndef PAROQUANT_CHAT_LEXER_H_
#define PAROQUANT_CHAT_LEXER_H_

#include <string>
#include <string_view>
#include <vector>

namespace paroquant::chat {

enum class TokenKind {
  kData,         // text outside of tags, white space already taken off
  kOutputBegin,  // {{
  kOutputEnd,    // }}
  kBlockBegin,   // {%
  kBlockEnd,     // %}
  kName,
  kString,  // its value, escapes resolved
  kInteger,
  kFloat,
  kOperator,
  kEnd,
};

struct Token {
  TokenKind kind;
  std::string text;
  int line;  // from 1
};

// The last token is a kEnd. Throws Fault, with its line, for what is no template. `source` is
// valid UTF-8.
std::vector<Token> Tokenize(std::string_view source);

// As errors show it.
std::string Describe(const Token& token);

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_LEXER_H_
