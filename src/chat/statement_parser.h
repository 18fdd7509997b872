// Statements of a template from tokens to tree.
#ifndef PAROQUANT_CHAT_STATEMENT_PARSER_H_
#define PAROQUANT_CHAT_STATEMENT_PARSER_H_

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chat/expression_parser.h"
#include "chat/syntax.h"
#include "chat/token_stream.h"

namespace paroquant::chat {

class StatementParser {
 public:
  explicit StatementParser(std::vector<Token> tokens)
      : tokens_(std::move(tokens)), expressions_(tokens_) {}

  Body ParseTemplate();

 private:
  // What encloses a statement, as far as that decides what it may be.
  enum class Place { kTop, kLoop, kMacro, kBlock };

  // Statements up to the tag that one of the names begins, which is then the current token.
  Body ParseBody(std::initializer_list<std::string_view> ends);
  // Such a body behind a tag's "%}" inside of `place`, and then the tag "endname %}".
  std::unique_ptr<const Body> ParseBlock(std::string_view name, Place place);
  void ParseTag(Body& body);

  Statement ParseSet();
  Statement ParseIf();
  Statement ParseFor();
  Statement ParseMacro();
  Statement ParseFilterBlock();
  Statement ParseGeneration();
  Statement ParseLoopControl(LoopControl control);
  Target ParseTarget();
  Target ParseSetTarget();
  std::string ParseTargetName();

  void EndTag() { tokens_.Expect(TokenKind::kBlockEnd, "\"%}\""); }
  void CheckNesting() const;

  TokenStream tokens_;
  ExpressionParser expressions_;
  std::vector<Place> places_ = {Place::kTop};
};

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_STATEMENT_PARSER_H_
