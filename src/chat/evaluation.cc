// Expressions evaluated.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "chat/filters.h"
#include "chat/interpreter.h"
#include "chat/methods.h"
#include "chat/operators.h"
#include "chat/printing.h"
#include "chat/tests.h"

namespace paroquant::chat {
namespace {

constexpr int kMaxDepth = 1000;

// Names that mean something to Jinja which is not implemented.
constexpr std::array<std::string_view, 8> kUnknownGlobals = {
    "caller", "cycler", "joiner", "kwargs", "lipsum", "self", "super", "varargs"};

}  // namespace

Interpreter::Depth::Depth(int& depth) : depth_(depth) {
  if (depth_ == kMaxDepth) {
    throw Fault("calls nested too deep: a macro that calls itself without end?",
                Fault::Kind::kUnsupported);
  }
  ++depth_;
}

Value Interpreter::Evaluate(const Expression& expression, Scope& scope) {
  const Depth depth(depth_);
  context_.budget.Spend(sizeof(Value));
  return AtLine(expression.line, [&] {
    return std::visit([&](const auto& content) { return Compute(content, scope); },
                      expression.content);
  });
}

Value Interpreter::Compute(const LiteralExpression& literal, Scope& /*scope*/) {
  return literal.value;
}

Value Interpreter::Compute(const NameExpression& name, Scope& scope) {
  if (const Value* value = scope.Find(name.name)) return *value;
  if (const std::optional<Value> function = FindFunction(name.name)) return *function;
  if (std::ranges::find(kUnknownGlobals, name.name) != kUnknownGlobals.end()) {
    throw Fault(fmt::format("the name \"{}\"", name.name), Fault::Kind::kUnsupported);
  }
  return Value::MakeUndefined(fmt::format("'{}' is undefined", name.name));
}

Value Interpreter::Compute(const ListExpression& list, Scope& scope) {
  std::vector<Value> items;
  for (const Expression& item : list.items) items.push_back(Evaluate(item, scope));
  return Value::MakeList(std::move(items), list.is_tuple ? ListForm::kTuple : ListForm::kList);
}

Value Interpreter::Compute(const DictExpression& dict, Scope& scope) {
  std::vector<std::pair<Value, Value>> entries;
  for (const auto& [key, value] : dict.entries) {
    Value evaluated = Evaluate(key, scope);
    entries.emplace_back(std::move(evaluated), Evaluate(value, scope));
  }
  return Value::MakeDict(std::move(entries), context_.budget);
}

Value Interpreter::Compute(const AttributeExpression& attribute, Scope& scope) {
  const Value object = Evaluate(*attribute.object, scope);
  if (object.Is<std::shared_ptr<Loop>>()) {
    return LoopAttribute(object.Get<std::shared_ptr<Loop>>(), attribute.name);
  }
  return GetAttribute(object, attribute.name, context_.budget);
}

Value Interpreter::Compute(const ItemExpression& item, Scope& scope) {
  const Value object = Evaluate(*item.object, scope);
  const Value key = Evaluate(*item.key, scope);
  if (object.Is<std::shared_ptr<Loop>>() && key.IsString()) {
    return LoopAttribute(object.Get<std::shared_ptr<Loop>>(), key.string());
  }
  return GetItem(object, key, context_.budget);
}

Value Interpreter::Compute(const SliceExpression& slice, Scope& scope) {
  const auto part = [&](const ExpressionPointer& expression) {
    return expression == nullptr ? Value(None{}) : Evaluate(*expression, scope);
  };
  const Value object = Evaluate(*slice.object, scope);
  const Value begin = part(slice.begin);
  const Value end = part(slice.end);
  return GetSlice(object, begin, end, part(slice.step), context_.budget);
}

Arguments Interpreter::EvaluateArguments(const ArgumentExpressions& arguments, Scope& scope) {
  Arguments evaluated;
  for (const Expression& argument : arguments.positional) {
    evaluated.positional.push_back(Evaluate(argument, scope));
  }
  for (const auto& [name, argument] : arguments.named) {
    evaluated.named.emplace_back(name, Evaluate(argument, scope));
  }
  return evaluated;
}

Value Interpreter::Compute(const CallExpression& call, Scope& scope) {
  const Value function = Evaluate(*call.function, scope);
  const Arguments arguments = EvaluateArguments(call.arguments, scope);
  if (function.IsUndefined()) FailUndefined(function);
  if (function.Is<const MacroStatement*>()) {
    return CallMacro(*function.Get<const MacroStatement*>(), arguments);
  }
  if (function.Is<Function>()) return CallFunction(function.Get<Function>(), arguments, context_);
  if (function.Is<std::shared_ptr<const Method>>()) {
    return CallMethod(*function.Get<std::shared_ptr<const Method>>(), arguments, context_);
  }
  throw Fault(fmt::format("'{}' object is not callable", TypeName(function)));
}

Value Interpreter::Compute(const FilterExpression& filter, Scope& scope) {
  const Value input = Evaluate(*filter.input, scope);
  return ApplyFilter(filter.name, input, EvaluateArguments(filter.arguments, scope), context_);
}

Value Interpreter::Compute(const TestExpression& test, Scope& scope) {
  const Value input = Evaluate(*test.input, scope);
  return ApplyTest(test.name, input, EvaluateArguments(test.arguments, scope), context_.budget);
}

Value Interpreter::Compute(const UnaryExpression& unary, Scope& scope) {
  return ApplyUnary(unary.operation, Evaluate(*unary.operand, scope));
}

Value Interpreter::Compute(const BinaryExpression& binary, Scope& scope) {
  const Value left = Evaluate(*binary.left, scope);
  return ApplyBinary(binary.operation, left, Evaluate(*binary.right, scope), context_.budget);
}

Value Interpreter::Compute(const ConcatenationExpression& concatenation, Scope& scope) {
  std::string text;
  for (const Expression& part : concatenation.parts) {
    text += ToText(Evaluate(part, scope), context_.budget);
  }
  return Value::String(std::move(text));
}

Value Interpreter::Compute(const ComparisonExpression& comparison, Scope& scope) {
  Value left = Evaluate(*comparison.first, scope);
  for (const auto& [operation, operand] : comparison.rest) {
    Value right = Evaluate(operand, scope);
    if (!Compare(operation, left, right, context_.budget)) return false;
    left = std::move(right);
  }
  return true;
}

// One of the operands, as in Python: "a or b" is a if a is true.
Value Interpreter::Compute(const LogicalExpression& logical, Scope& scope) {
  const Value left = Evaluate(*logical.left, scope);
  const bool is_settled = Truth(left) == (logical.operation == LogicalOperator::kOr);
  return is_settled ? left : Evaluate(*logical.right, scope);
}

Value Interpreter::Compute(const ConditionalExpression& conditional, Scope& scope) {
  if (Truth(Evaluate(*conditional.condition, scope))) return Evaluate(*conditional.then, scope);
  if (conditional.otherwise != nullptr) return Evaluate(*conditional.otherwise, scope);
  return Value::MakeUndefined("an inline \"if\" was false and has no \"else\"");
}

}  // namespace paroquant::chat
