#include "chat/statement_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "chat/parser.h"

namespace paroquant::chat {
namespace {

constexpr size_t kMaxStatementNesting = 50;

}  // namespace

Body ParseTemplate(std::string_view source) {
  return StatementParser(Tokenize(source)).ParseTemplate();
}

Body StatementParser::ParseTemplate() { return ParseBody({}); }

Body StatementParser::ParseBody(std::initializer_list<std::string_view> ends) {
  Body body;
  while (true) {
    const Token& token = tokens_.Take();
    switch (token.kind) {
      case TokenKind::kData:
        body.push_back({TextStatement{token.text}, token.line});
        break;
      case TokenKind::kOutputBegin:
        body.push_back({OutputStatement{expressions_.ParseTuple()}, token.line});
        tokens_.Expect(TokenKind::kOutputEnd, "\"}}\"");
        break;
      case TokenKind::kBlockBegin:
        if (std::ranges::any_of(ends, [&](auto end) { return tokens_.IsName(end); })) return body;
        ParseTag(body);
        break;
      default:  // the end: the lexer lets nothing else stand outside of tags
        if (ends.size() == 0) return body;
        tokens_.FailExpected(fmt::format("\"{}\"", *(ends.end() - 1)));
    }
  }
}

std::unique_ptr<const Body> StatementParser::ParseBlock(std::string_view name, Place place) {
  tokens_.TakeOperator(":");
  EndTag();
  const std::string end = fmt::format("end{}", name);
  places_.push_back(place);
  CheckNesting();
  auto body = std::make_unique<const Body>(ParseBody({end}));
  places_.pop_back();
  tokens_.Take();
  return body;
}

void StatementParser::CheckNesting() const {
  if (places_.size() <= kMaxStatementNesting) return;
  tokens_.FailUnsupported(fmt::format("statements nested deeper than {}", kMaxStatementNesting));
}

void StatementParser::ParseTag(Body& body) {
  if (tokens_.IsName("set")) {
    body.push_back(ParseSet());
  } else if (tokens_.IsName("if")) {
    body.push_back(ParseIf());
  } else if (tokens_.IsName("for")) {
    body.push_back(ParseFor());
  } else if (tokens_.IsName("macro")) {
    body.push_back(ParseMacro());
  } else if (tokens_.IsName("filter")) {
    body.push_back(ParseFilterBlock());
  } else if (tokens_.IsName("generation")) {
    body.push_back(ParseGeneration());
  } else if (tokens_.IsName("break")) {
    body.push_back(ParseLoopControl(LoopControl::kBreak));
  } else if (tokens_.IsName("continue")) {
    body.push_back(ParseLoopControl(LoopControl::kContinue));
  } else {
    if (!tokens_.Is(TokenKind::kName)) tokens_.FailExpected("the name of a tag");
    const std::string& name = tokens_.current().text;
    const bool closes = name.starts_with("end") || name == "else" || name == "elif";
    if (closes) tokens_.FailExpected("a tag that may stand here");
    tokens_.FailUnsupported(fmt::format("the tag \"{}\"", name));
  }
  EndTag();
}

std::string StatementParser::ParseTargetName() {
  const Token& token = tokens_.Expect(TokenKind::kName, "a variable's name");
  static constexpr std::array<std::string_view, 6> kConstants = {"true", "false", "none",
                                                                 "True", "False", "None"};
  if (std::ranges::find(kConstants, token.text) == kConstants.end()) return token.text;
  throw Fault(fmt::format("an assignment to \"{}\"", token.text), Fault::Kind::kWrong, token.line);
}

Target StatementParser::ParseTarget() {
  Target target;
  const bool parenthesis = tokens_.TakeOperator("(");
  do {
    if (!target.names.empty() && !tokens_.Is(TokenKind::kName)) break;  // a comma at the end
    if (tokens_.IsOperator("(")) tokens_.FailUnsupported("an assignment to nested names");
    target.names.push_back(ParseTargetName());
    if (tokens_.IsOperator(",")) target.is_tuple = true;
  } while (tokens_.TakeOperator(","));
  if (parenthesis) tokens_.ExpectOperator(")");
  return target;
}

Target StatementParser::ParseSetTarget() {
  if (tokens_.Is(TokenKind::kName) && tokens_.NextIs(TokenKind::kOperator, ".")) {
    Target target{.names = {ParseTargetName()}, .attribute = {}};
    tokens_.Take();
    target.attribute = tokens_.Expect(TokenKind::kName, "the name of an attribute").text;
    if (tokens_.IsOperator(",")) tokens_.FailUnsupported("an assignment to several attributes");
    return target;
  }
  return ParseTarget();
}

Statement StatementParser::ParseSet() {
  const int line = tokens_.Take().line;
  Target target = ParseSetTarget();
  if (tokens_.TakeOperator("=")) {
    return {SetStatement{std::move(target), expressions_.ParseTuple()}, line};
  }
  std::vector<FilterExpression> filters = expressions_.ParseFilters();
  auto body = ParseBlock("set", Place::kBlock);
  return {SetBlockStatement{std::move(target), std::move(filters), std::move(body)}, line};
}

Statement StatementParser::ParseIf() {
  const int line = tokens_.line();
  IfStatement statement;
  const bool conditional = expressions_.SetConditional(true);
  places_.push_back(places_.back());
  CheckNesting();
  while (tokens_.IsName("if") || tokens_.IsName("elif")) {
    tokens_.Take();
    Expression condition = expressions_.ParseTupleWithoutCondition();
    tokens_.TakeOperator(":");
    EndTag();
    statement.branches.emplace_back(std::move(condition), ParseBody({"elif", "else", "endif"}));
  }
  if (tokens_.TakeName("else")) {
    tokens_.TakeOperator(":");
    EndTag();
    statement.otherwise = std::make_unique<const Body>(ParseBody({"endif"}));
  }
  places_.pop_back();
  expressions_.SetConditional(conditional);
  tokens_.ExpectName("endif");
  return {std::move(statement), line};
}

Statement StatementParser::ParseFor() {
  const int line = tokens_.Take().line;
  Target target = ParseTarget();
  tokens_.ExpectName("in");
  Expression items = expressions_.ParseTupleWithoutCondition();
  std::optional<Expression> condition;
  if (tokens_.TakeName("if")) condition = expressions_.ParseExpression();
  if (tokens_.IsName("recursive")) tokens_.FailUnsupported("a recursive loop");
  tokens_.TakeOperator(":");
  EndTag();
  places_.push_back(Place::kLoop);
  CheckNesting();
  auto body = std::make_unique<const Body>(ParseBody({"else", "endfor"}));
  places_.back() = places_[places_.size() - 2];
  std::unique_ptr<const Body> otherwise;
  if (tokens_.TakeName("else")) {
    tokens_.TakeOperator(":");
    EndTag();
    otherwise = std::make_unique<const Body>(ParseBody({"endfor"}));
  }
  places_.pop_back();
  tokens_.ExpectName("endfor");
  return {ForStatement{std::move(target), std::move(items), std::move(condition), std::move(body),
                       std::move(otherwise)},
          line};
}

Statement StatementParser::ParseMacro() {
  if (places_.back() != Place::kTop) {
    tokens_.FailUnsupported("a macro inside of a loop, macro or block");
  }
  MacroStatement macro;
  const int line = tokens_.Take().line;
  macro.name = ParseTargetName();
  tokens_.ExpectOperator("(");
  while (!tokens_.IsOperator(")")) {
    std::string name = ParseTargetName();
    std::optional<Expression> fallback;
    if (tokens_.TakeOperator("=")) {
      fallback = expressions_.ParseExpression();
    } else if (!macro.parameters.empty() && macro.parameters.back().second) {
      tokens_.FailExpected("a value for a parameter behind one that has a value");
    }
    macro.parameters.emplace_back(std::move(name), std::move(fallback));
    if (!tokens_.TakeOperator(",")) break;
  }
  tokens_.ExpectOperator(")");
  macro.body = ParseBlock("macro", Place::kMacro);
  return {std::move(macro), line};
}

Statement StatementParser::ParseFilterBlock() {
  const int line = tokens_.Take().line;
  std::vector<FilterExpression> filters;
  filters.push_back(expressions_.ParseFilterName());
  std::ranges::move(expressions_.ParseFilters(), std::back_inserter(filters));
  auto body = ParseBlock("filter", Place::kBlock);
  return {FilterBlockStatement{std::move(filters), std::move(body)}, line};
}

Statement StatementParser::ParseGeneration() {
  const int line = tokens_.Take().line;
  return {GenerationStatement{ParseBlock("generation", Place::kBlock)}, line};
}

Statement StatementParser::ParseLoopControl(LoopControl control) {
  const int line = tokens_.line();
  if (places_.back() != Place::kLoop) {
    tokens_.FailUnsupported(fmt::format("\"{}\" outside of a loop", tokens_.current().text));
  }
  tokens_.Take();
  return {control, line};
}

}  // namespace paroquant::chat
