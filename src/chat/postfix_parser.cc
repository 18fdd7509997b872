// What stands behind an operand: attributes, subscripts, calls, filters and tests.
#include <fmt/format.h>

#include "chat/expression_parser.h"
#include "chat/filters.h"
#include "chat/methods.h"
#include "chat/tests.h"

namespace paroquant::chat {
namespace {

// Filters and tests that are named by a string, as in map("upper"), are looked up here, too, so
// that the template is refused and not one of its conversations.
void CheckNamed(const FilterExpression& filter) {
  const std::vector<Expression>& arguments = filter.arguments.positional;
  const size_t place = NamePlace(filter.name);
  if (place >= arguments.size()) return;
  const auto* literal = std::get_if<LiteralExpression>(&arguments[place].content);
  if (literal == nullptr || !literal->value.IsString()) return;
  const std::string& name = literal->value.string();
  const bool known = filter.name == "map" ? HasFilter(name) : HasTest(name);
  if (known) return;
  throw Fault(fmt::format("the {} \"{}\"", filter.name == "map" ? "filter" : "test", name),
              Fault::Kind::kUnsupported, arguments[place].line);
}

}  // namespace

Expression ExpressionParser::ParsePostfix(Expression object) {
  for (int length = 1;; ++length) {
    CheckChain(length);
    if (tokens_.IsOperator(".")) {
      object = ParseAttribute(std::move(object));
    } else if (tokens_.IsOperator("[")) {
      object = ParseSubscript(std::move(object));
    } else if (tokens_.IsOperator("(")) {
      object = ParseCall(std::move(object));
    } else {
      return object;
    }
  }
}

Expression ExpressionParser::ParseAttribute(Expression object) {
  const int line = tokens_.Take().line;
  if (tokens_.Is(TokenKind::kInteger)) {
    Expression key = ParsePrimary();
    return {ItemExpression{Own(std::move(object)), Own(std::move(key))}, line};
  }
  const std::string& name = tokens_.Expect(TokenKind::kName, "the name of an attribute").text;
  if (tokens_.IsOperator("(") && !IsCallable(name)) {
    tokens_.FailUnsupported(fmt::format("the method \"{}\"", name));
  }
  return {AttributeExpression{Own(std::move(object)), name}, line};
}

Expression ExpressionParser::ParseSubscript(Expression object) {
  const int line = tokens_.Take().line;
  const auto parse_part = [&]() -> ExpressionPointer {
    if (tokens_.IsOperator(":") || tokens_.IsOperator("]")) return nullptr;
    return Own(ParseExpression());
  };
  ExpressionPointer begin = parse_part();
  if (!tokens_.IsOperator(":")) {
    if (tokens_.IsOperator(",")) tokens_.FailUnsupported("a subscript with a comma");
    if (begin == nullptr) tokens_.FailExpected("a subscript");
    tokens_.ExpectOperator("]");
    return {ItemExpression{Own(std::move(object)), std::move(begin)}, line};
  }
  tokens_.Take();
  ExpressionPointer end = parse_part();
  ExpressionPointer step;
  if (tokens_.TakeOperator(":")) step = parse_part();
  if (tokens_.IsOperator(",")) tokens_.FailUnsupported("a subscript with a comma");
  tokens_.ExpectOperator("]");
  return {
      SliceExpression{Own(std::move(object)), std::move(begin), std::move(end), std::move(step)},
      line};
}

Expression ExpressionParser::ParseCall(Expression function) {
  const int line = tokens_.line();
  return {CallExpression{Own(std::move(function)), ParseArguments()}, line};
}

ArgumentExpressions ExpressionParser::ParseArguments() {
  tokens_.ExpectOperator("(");
  ArgumentExpressions arguments;
  while (!tokens_.IsOperator(")")) {
    if (tokens_.IsOperator("*") || tokens_.IsOperator("**")) {
      tokens_.FailUnsupported(fmt::format("\"{}\" before an argument", tokens_.current().text));
    }
    if (tokens_.Is(TokenKind::kName) && tokens_.NextIs(TokenKind::kOperator, "=")) {
      const std::string& name = tokens_.Take().text;
      tokens_.Take();
      arguments.named.push_back({name, ParseExpression()});
    } else if (!arguments.named.empty()) {
      tokens_.FailExpected("an argument with a name");
    } else {
      arguments.positional.push_back(ParseExpression());
    }
    if (!tokens_.TakeOperator(",")) break;
  }
  tokens_.ExpectOperator(")");
  return arguments;
}

Expression ExpressionParser::ParseFiltersAndTests(Expression input) {
  for (int length = 1;; ++length) {
    CheckChain(length);
    const int line = tokens_.line();
    if (tokens_.TakeOperator("|")) {
      FilterExpression filter = ParseFilterName();
      filter.input = Own(std::move(input));
      input = {std::move(filter), line};
    } else if (tokens_.IsName("is")) {
      input = ParseTest(std::move(input));
    } else if (tokens_.IsOperator("(")) {
      input = ParseCall(std::move(input));
    } else {
      return input;
    }
  }
}

FilterExpression ExpressionParser::ParseFilterName() {
  const Token& name = tokens_.Expect(TokenKind::kName, "the name of a filter");
  // As in Jinja, an unknown name behind an "if" counts only where a conversation comes to it.
  if (!HasFilter(name.text) && (!conditional_ || IsFilterOfJinja(name.text))) {
    throw Fault(fmt::format("the filter \"{}\"", name.text), Fault::Kind::kUnsupported, name.line);
  }
  FilterExpression filter{.input = nullptr, .name = name.text, .arguments = {}};
  if (tokens_.IsOperator("(")) filter.arguments = ParseArguments();
  CheckNamed(filter);
  return filter;
}

std::vector<FilterExpression> ExpressionParser::ParseFilters() {
  std::vector<FilterExpression> filters;
  while (tokens_.TakeOperator("|")) filters.push_back(ParseFilterName());
  return filters;
}

Expression ExpressionParser::ParseTest(Expression input) {
  const int line = tokens_.Take().line;
  const bool negated = tokens_.TakeName("not");
  const Token& name = tokens_.Expect(TokenKind::kName, "the name of a test");
  if (!HasTest(name.text)) {
    throw Fault(fmt::format("the test \"{}\"", name.text), Fault::Kind::kUnsupported, name.line);
  }
  Expression test = {TestExpression{Own(std::move(input)), name.text, ParseTestArguments()}, line};
  if (!negated) return test;
  return {UnaryExpression{UnaryOperator::kNot, Own(std::move(test))}, line};
}

// In parentheses, or a single one without them: "x is divisibleby 3".
ArgumentExpressions ExpressionParser::ParseTestArguments() {
  if (tokens_.IsOperator("(")) return ParseArguments();
  ArgumentExpressions arguments;
  const bool ends = tokens_.IsName("else") || tokens_.IsName("or") || tokens_.IsName("and");
  const bool begins = tokens_.Is(TokenKind::kName) || tokens_.Is(TokenKind::kString) ||
                      tokens_.Is(TokenKind::kInteger) || tokens_.Is(TokenKind::kFloat) ||
                      tokens_.IsOperator("[") || tokens_.IsOperator("{");
  if (ends || !begins) return arguments;
  if (tokens_.IsName("is")) tokens_.FailExpected("no other test");
  const Nesting nesting(*this);
  arguments.positional.push_back(ParsePostfix(ParsePrimary()));
  return arguments;
}

}  // namespace paroquant::chat
