#include "chat/expression_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace paroquant::chat {
namespace {

constexpr int kMaxExpressionNesting = 100;
constexpr int kMaxChain = 200;

bool IsTrue(const std::string& name) { return name == "true" || name == "True"; }
bool IsFalse(const std::string& name) { return name == "false" || name == "False"; }
bool IsNone(const std::string& name) { return name == "none" || name == "None"; }

template <typename T>
T ParseNumber(const Token& token) {
  T value{};
  const char* end = token.text.data() + token.text.size();
  const auto read = std::from_chars(token.text.data(), end, value);
  if (read.ec == std::errc{} && read.ptr == end) return value;
  throw Fault(fmt::format("the number {}", token.text), Fault::Kind::kUnsupported, token.line);
}

}  // namespace

ExpressionParser::Nesting::Nesting(ExpressionParser& parser) : parser_(parser) {
  if (parser_.nesting_ == kMaxExpressionNesting) {
    parser_.tokens_.FailUnsupported(
        fmt::format("expressions nested deeper than {}", kMaxExpressionNesting));
  }
  ++parser_.nesting_;
}

void ExpressionParser::CheckChain(int length) const {
  if (length <= kMaxChain) return;
  tokens_.FailUnsupported(fmt::format("an expression of more than {} operators", kMaxChain));
}

Expression ExpressionParser::ParseItems(Level item) {
  const int line = tokens_.line();
  const auto at_end = [&] {
    return tokens_.Is(TokenKind::kOutputEnd) || tokens_.Is(TokenKind::kBlockEnd) ||
           tokens_.IsOperator(")");
  };
  std::vector<Expression> items;
  bool is_tuple = false;
  while (!at_end()) {
    items.push_back((this->*item)());
    if (!tokens_.TakeOperator(",")) break;
    is_tuple = true;
  }
  if (items.empty()) tokens_.FailExpected("an expression");
  if (!is_tuple) return std::move(items.front());
  return {ListExpression{std::move(items), /*is_tuple=*/true}, line};
}

Expression ExpressionParser::ParseTuple() { return ParseItems(&ExpressionParser::ParseExpression); }

Expression ExpressionParser::ParseTupleWithoutCondition() {
  return ParseItems(&ExpressionParser::ParseOr);
}

Expression ExpressionParser::ParseExpression() {
  const Nesting nesting(*this);
  Expression expression = ParseOr();
  for (int length = 1; tokens_.IsName("if"); ++length) {
    CheckChain(length);
    const int line = tokens_.Take().line;
    ExpressionPointer condition = Own(ParseOr());
    ExpressionPointer otherwise;
    if (tokens_.TakeName("else")) otherwise = Own(ParseExpression());
    expression = {ConditionalExpression{std::move(condition), Own(std::move(expression)),
                                        std::move(otherwise)},
                  line};
  }
  return expression;
}

Expression ExpressionParser::ParseOr() {
  Expression left = ParseAnd();
  for (int length = 1; tokens_.IsName("or"); ++length) {
    CheckChain(length);
    const int line = tokens_.Take().line;
    ExpressionPointer right = Own(ParseAnd());
    left = {LogicalExpression{LogicalOperator::kOr, Own(std::move(left)), std::move(right)}, line};
  }
  return left;
}

Expression ExpressionParser::ParseAnd() {
  Expression left = ParseNot();
  for (int length = 1; tokens_.IsName("and"); ++length) {
    CheckChain(length);
    const int line = tokens_.Take().line;
    ExpressionPointer right = Own(ParseNot());
    left = {LogicalExpression{LogicalOperator::kAnd, Own(std::move(left)), std::move(right)}, line};
  }
  return left;
}

Expression ExpressionParser::ParseNot() {
  if (!tokens_.IsName("not")) return ParseComparison();
  const Nesting nesting(*this);
  const int line = tokens_.Take().line;
  return {UnaryExpression{UnaryOperator::kNot, Own(ParseNot())}, line};
}

std::optional<Comparison> ExpressionParser::TakeComparison() {
  static constexpr std::array<std::pair<std::string_view, Comparison>, 6> kOperators = {
      {{"==", Comparison::kEqual},
       {"!=", Comparison::kNotEqual},
       {"<", Comparison::kLess},
       {"<=", Comparison::kLessEqual},
       {">", Comparison::kGreater},
       {">=", Comparison::kGreaterEqual}}};
  for (const auto& [text, comparison] : kOperators) {
    if (tokens_.TakeOperator(text)) return comparison;
  }
  if (tokens_.TakeName("in")) return Comparison::kIn;
  if (tokens_.IsName("not") && tokens_.NextIs(TokenKind::kName, "in")) {
    tokens_.Take();
    tokens_.Take();
    return Comparison::kNotIn;
  }
  return std::nullopt;
}

Expression ExpressionParser::ParseComparison() {
  Expression first = ParseSum();
  const int line = tokens_.line();
  std::vector<ComparisonStep> rest;
  while (const auto comparison = TakeComparison()) rest.push_back({*comparison, ParseSum()});
  if (rest.empty()) return first;
  return {ComparisonExpression{Own(std::move(first)), std::move(rest)}, line};
}

Expression ExpressionParser::ParseSum() {
  Expression left = ParseConcatenation();
  for (int length = 1; tokens_.IsOperator("+") || tokens_.IsOperator("-"); ++length) {
    CheckChain(length);
    const Token& token = tokens_.Take();
    const auto operation = token.text == "+" ? BinaryOperator::kAdd : BinaryOperator::kSubtract;
    ExpressionPointer right = Own(ParseConcatenation());
    left = {BinaryExpression{operation, Own(std::move(left)), std::move(right)}, token.line};
  }
  return left;
}

Expression ExpressionParser::ParseConcatenation() {
  const int line = tokens_.line();
  Expression first = ParseProduct();
  if (!tokens_.IsOperator("~")) return first;
  std::vector<Expression> parts;
  parts.push_back(std::move(first));
  while (tokens_.TakeOperator("~")) parts.push_back(ParseProduct());
  return {ConcatenationExpression{std::move(parts)}, line};
}

Expression ExpressionParser::ParseProduct() {
  static constexpr std::array<std::pair<std::string_view, BinaryOperator>, 4> kOperators = {
      {{"*", BinaryOperator::kMultiply},
       {"/", BinaryOperator::kDivide},
       {"//", BinaryOperator::kFloorDivide},
       {"%", BinaryOperator::kModulo}}};
  Expression left = ParseUnary(/*with_filters=*/true);
  for (int length = 1; tokens_.Is(TokenKind::kOperator); ++length) {
    if (tokens_.IsOperator("**")) tokens_.FailUnsupported("the operator \"**\"");
    const auto* found = std::ranges::find(kOperators, tokens_.current().text,
                                          &std::pair<std::string_view, BinaryOperator>::first);
    if (found == kOperators.end()) break;
    CheckChain(length);
    const int line = tokens_.Take().line;
    ExpressionPointer right = Own(ParseUnary(/*with_filters=*/true));
    left = {BinaryExpression{found->second, Own(std::move(left)), std::move(right)}, line};
  }
  return left;
}

Expression ExpressionParser::ParseUnary(bool with_filters) {
  const Nesting nesting(*this);
  const int line = tokens_.line();
  const auto parse = [&]() -> Expression {
    if (tokens_.TakeOperator("-")) {
      return {UnaryExpression{UnaryOperator::kMinus, Own(ParseUnary(false))}, line};
    }
    if (tokens_.TakeOperator("+")) {
      return {UnaryExpression{UnaryOperator::kPlus, Own(ParseUnary(false))}, line};
    }
    return ParsePrimary();
  };
  Expression operand = ParsePostfix(parse());
  return with_filters ? ParseFiltersAndTests(std::move(operand)) : std::move(operand);
}

Expression ExpressionParser::ParsePrimary() {
  if (tokens_.IsOperator("(")) return ParseParenthesis();
  if (tokens_.IsOperator("[")) return ParseList();
  if (tokens_.IsOperator("{")) return ParseDict();
  const Token& token = tokens_.current();
  switch (token.kind) {
    case TokenKind::kName:
      tokens_.Take();
      if (IsTrue(token.text)) return {LiteralExpression{true}, token.line};
      if (IsFalse(token.text)) return {LiteralExpression{false}, token.line};
      if (IsNone(token.text)) return {LiteralExpression{None{}}, token.line};
      return {NameExpression{token.text}, token.line};
    case TokenKind::kString: {
      std::string text;
      while (tokens_.Is(TokenKind::kString)) text += tokens_.Take().text;
      return {LiteralExpression{Value::String(std::move(text))}, token.line};
    }
    case TokenKind::kInteger:
      return {LiteralExpression{ParseNumber<int64_t>(tokens_.Take())}, token.line};
    case TokenKind::kFloat:
      return {LiteralExpression{ParseNumber<double>(tokens_.Take())}, token.line};
    default:
      tokens_.FailExpected("an expression");
  }
}

Expression ExpressionParser::ParseParenthesis() {
  const int line = tokens_.Take().line;
  if (tokens_.TakeOperator(")")) return {ListExpression{{}, /*is_tuple=*/true}, line};
  Expression content = ParseTuple();
  tokens_.ExpectOperator(")");
  return content;
}

Expression ExpressionParser::ParseList() {
  const int line = tokens_.Take().line;
  std::vector<Expression> items;
  while (!tokens_.IsOperator("]")) {
    items.push_back(ParseExpression());
    if (!tokens_.TakeOperator(",")) break;
  }
  tokens_.ExpectOperator("]");
  return {ListExpression{std::move(items), /*is_tuple=*/false}, line};
}

Expression ExpressionParser::ParseDict() {
  const int line = tokens_.Take().line;
  std::vector<DictEntry> entries;
  while (!tokens_.IsOperator("}")) {
    Expression key = ParseExpression();
    tokens_.ExpectOperator(":");
    entries.push_back({std::move(key), ParseExpression()});
    if (!tokens_.TakeOperator(",")) break;
  }
  tokens_.ExpectOperator("}");
  return {DictExpression{std::move(entries)}, line};
}

}  // namespace paroquant::chat
