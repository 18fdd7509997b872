// A template as a tree.
#ifndef PAROQUANT_CHAT_SYNTAX_H_
#define PAROQUANT_CHAT_SYNTAX_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "chat/value.h"

namespace paroquant::chat {

// Parts of an expression that hold expressions themselves and so are complete behind it only.
struct Expression;
struct DictEntry;
struct NamedArgument;
struct ComparisonStep;
using ExpressionPointer = std::unique_ptr<const Expression>;

struct LiteralExpression {
  Value value;
};
struct NameExpression {
  std::string name;
};
// (a, b) or [a, b]
struct ListExpression {
  std::vector<Expression> items;
  bool is_tuple;
};
// {a: b}
struct DictExpression {
  std::vector<DictEntry> entries;
};
// object.name
struct AttributeExpression {
  ExpressionPointer object;
  std::string name;
};
// object[key]
struct ItemExpression {
  ExpressionPointer object;
  ExpressionPointer key;
};
// object[begin:end:step], each of which may be null
struct SliceExpression {
  ExpressionPointer object;
  ExpressionPointer begin;
  ExpressionPointer end;
  ExpressionPointer step;
};
struct ArgumentExpressions {
  std::vector<Expression> positional;
  std::vector<NamedArgument> named;
};
struct CallExpression {
  ExpressionPointer function;
  ArgumentExpressions arguments;
};
// input | name(arguments)
struct FilterExpression {
  ExpressionPointer input;  // null where a whole block is the input
  std::string name;
  ArgumentExpressions arguments;
};
// input is name(arguments)
struct TestExpression {
  ExpressionPointer input;
  std::string name;
  ArgumentExpressions arguments;
};
enum class UnaryOperator { kNot, kMinus, kPlus };
struct UnaryExpression {
  UnaryOperator operation;
  ExpressionPointer operand;
};
enum class BinaryOperator { kAdd, kSubtract, kMultiply, kDivide, kFloorDivide, kModulo };
struct BinaryExpression {
  BinaryOperator operation;
  ExpressionPointer left;
  ExpressionPointer right;
};
// a ~ b ~ c
struct ConcatenationExpression {
  std::vector<Expression> parts;
};
enum class Comparison {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn
};
// a < b <= c
struct ComparisonExpression {
  ExpressionPointer first;
  std::vector<ComparisonStep> rest;
};
enum class LogicalOperator { kAnd, kOr };
struct LogicalExpression {
  LogicalOperator operation;
  ExpressionPointer left;
  ExpressionPointer right;
};
// then if condition else otherwise
struct ConditionalExpression {
  ExpressionPointer condition;
  ExpressionPointer then;
  ExpressionPointer otherwise;  // may be null
};

struct Expression {
  std::variant<LiteralExpression, NameExpression, ListExpression, DictExpression,
               AttributeExpression, ItemExpression, SliceExpression, CallExpression,
               FilterExpression, TestExpression, UnaryExpression, BinaryExpression,
               ConcatenationExpression, ComparisonExpression, LogicalExpression,
               ConditionalExpression>
      content;
  int line;
};
inline ExpressionPointer Own(Expression expression) {
  return std::make_unique<const Expression>(std::move(expression));
}

struct DictEntry {
  Expression key;
  Expression value;
};
struct NamedArgument {
  std::string name;
  Expression value;
};
// What a chain of comparisons compares next, and how.
struct ComparisonStep {
  Comparison comparison;
  Expression operand;
};

struct Statement;
using Body = std::vector<Statement>;

// One name, namespace.attribute, or several names that a sequence is taken apart for.
struct Target {
  std::vector<std::string> names;
  std::string attribute;  // empty unless the only name is a namespace
  bool is_tuple = false;
};

struct TextStatement {
  std::string text;
};
// {{ expression }}
struct OutputStatement {
  Expression expression;
};
struct SetStatement {
  Target target;
  Expression value;
};
// {% set target | filters %} body {% endset %}
struct SetBlockStatement {
  Target target;
  std::vector<FilterExpression> filters;
  std::unique_ptr<const Body> body;
};
struct IfStatement {
  std::vector<std::pair<Expression, Body>> branches;
  std::unique_ptr<const Body> otherwise;  // may be null
};
struct ForStatement {
  Target target;
  Expression items;
  std::optional<Expression> condition;
  std::unique_ptr<const Body> body;
  std::unique_ptr<const Body> otherwise;  // if there are no items; may be null
};
struct MacroStatement {
  std::string name;
  std::vector<std::pair<std::string, std::optional<Expression>>> parameters;
  std::unique_ptr<const Body> body;
};
// {% filter name %} body {% endfilter %}
struct FilterBlockStatement {
  std::vector<FilterExpression> filters;
  std::unique_ptr<const Body> body;
};
// {% generation %} body {% endgeneration %}: what the assistant says
struct GenerationStatement {
  std::unique_ptr<const Body> body;
};
enum class LoopControl { kBreak, kContinue };

struct Statement {
  std::variant<TextStatement, OutputStatement, SetStatement, SetBlockStatement, IfStatement,
               ForStatement, MacroStatement, FilterBlockStatement, GenerationStatement, LoopControl>
      content;
  int line;
};

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_SYNTAX_H_
