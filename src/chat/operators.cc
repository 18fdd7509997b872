#include "chat/operators.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "chat/strings.h"

namespace paroquant::chat {
namespace {

constexpr const char* kSymbols[] = {"+", "-", "*", "/", "//", "%"};

[[noreturn]] void FailOperands(BinaryOperator operation, const Value& left, const Value& right) {
  if (left.IsUndefined()) FailUndefined(left);
  if (right.IsUndefined()) FailUndefined(right);
  throw Fault(fmt::format("unsupported operand types for {}: '{}' and '{}'",
                          kSymbols[static_cast<size_t>(operation)], TypeName(left),
                          TypeName(right)));
}

// `result` is read behind the operation that sets it, whichever argument comes first.
int64_t Checked(bool overflows, const int64_t& result) {
  if (overflows) throw Fault("an integer beyond 64 bits", Fault::Kind::kUnsupported);
  return result;
}

// Rounded down, as Python does it.
int64_t FloorDivide(int64_t left, int64_t right) {
  const int64_t quotient = left / right;
  const bool rounded_up = left % right != 0 && (left < 0) != (right < 0);
  return quotient - (rounded_up ? 1 : 0);
}

Value ApplyToIntegers(BinaryOperator operation, int64_t left, int64_t right) {
  int64_t result = 0;
  switch (operation) {
    case BinaryOperator::kAdd:
      return Checked(__builtin_add_overflow(left, right, &result), result);
    case BinaryOperator::kSubtract:
      return Checked(__builtin_sub_overflow(left, right, &result), result);
    case BinaryOperator::kMultiply:
      return Checked(__builtin_mul_overflow(left, right, &result), result);
    default:
      break;
  }
  if (right == 0) throw Fault("division by zero");
  if (operation == BinaryOperator::kDivide) {
    return static_cast<double>(left) / static_cast<double>(right);
  }
  if (right == -1) {  // the least integer has no counterpart
    if (operation == BinaryOperator::kModulo) return int64_t{0};
    return Checked(__builtin_sub_overflow(int64_t{0}, left, &result), result);
  }
  const int64_t quotient = FloorDivide(left, right);
  return operation == BinaryOperator::kFloorDivide ? quotient : left - quotient * right;
}

Value ApplyToNumbers(BinaryOperator operation, double left, double right) {
  switch (operation) {
    case BinaryOperator::kAdd:
      return left + right;
    case BinaryOperator::kSubtract:
      return left - right;
    case BinaryOperator::kMultiply:
      return left * right;
    default:
      break;
  }
  if (right == 0.0) throw Fault("division by zero");
  if (operation == BinaryOperator::kDivide) return left / right;
  throw Fault("the remainder of numbers that are no integers", Fault::Kind::kUnsupported);
}

// A string that is marked as safe has the other one escaped.
Value AddStrings(const Value& left, const Value& right, Budget& budget) {
  budget.Spend(left.string().size() + right.string().size());
  const bool safe = left.IsSafe() || right.IsSafe();
  const auto part = [&](const Value& value) {
    return safe && !value.IsSafe() ? EscapeHtml(value.string()) : value.string();
  };
  return Value::String(part(left) + part(right), safe);
}

Value AddLists(const List& left, const List& right, Budget& budget) {
  budget.Spend((left.items.size() + right.items.size()) * sizeof(Value));
  std::vector<Value> items = left.items;
  items.insert(items.end(), right.items.begin(), right.items.end());
  return Value::MakeList(std::move(items), left.form);
}

bool IsPlain(const List* list) {
  return list != nullptr && (list->form == ListForm::kList || list->form == ListForm::kTuple);
}

// A string or list many times over.
Value Repeat(const Value& value, int64_t count, Budget& budget) {
  const auto times = static_cast<size_t>(std::max<int64_t>(count, 0));
  const List* list = value.AsList();
  const size_t size = list == nullptr ? value.string().size() : list->items.size() * sizeof(Value);
  if (size > 0 && times > (size_t{1} << 32) / size) budget.Spend(SIZE_MAX);
  budget.Spend(size * times);
  if (list == nullptr) {
    std::string text;
    for (size_t i = 0; i < times && size > 0; ++i) text += value.string();
    return Value::String(std::move(text), value.IsSafe());
  }
  std::vector<Value> items;
  for (size_t i = 0; i < times && size > 0; ++i) {
    items.insert(items.end(), list->items.begin(), list->items.end());
  }
  return Value::MakeList(std::move(items), list->form);
}

bool IsRepeatable(const Value& value) { return value.IsString() || IsPlain(value.AsList()); }

}  // namespace

Value ApplyBinary(BinaryOperator operation, const Value& left, const Value& right, Budget& budget) {
  if (left.IsInteger() && right.IsInteger()) {
    return ApplyToIntegers(operation, left.integer(), right.integer());
  }
  if (left.IsNumber() && right.IsNumber()) {
    return ApplyToNumbers(operation, left.number(), right.number());
  }
  if (operation == BinaryOperator::kAdd) {
    if (left.IsString() && right.IsString()) return AddStrings(left, right, budget);
    const List* list = left.AsList();
    const List* other = right.AsList();
    const bool alike = IsPlain(list) && IsPlain(other) && list->form == other->form;
    if (alike) return AddLists(*list, *other, budget);
  }
  if (operation == BinaryOperator::kMultiply) {
    if (IsRepeatable(left) && right.IsInteger()) return Repeat(left, right.integer(), budget);
    if (left.IsInteger() && IsRepeatable(right)) return Repeat(right, left.integer(), budget);
  }
  if (operation == BinaryOperator::kModulo && left.IsString()) {
    throw Fault("a string formatted by \"%\"", Fault::Kind::kUnsupported);
  }
  FailOperands(operation, left, right);
}

Value ApplyUnary(UnaryOperator operation, const Value& operand) {
  if (operation == UnaryOperator::kNot) return !Truth(operand);
  if (operand.IsUndefined()) FailUndefined(operand);
  if (!operand.IsNumber()) {
    throw Fault(fmt::format("a sign before a value of type '{}'", TypeName(operand)));
  }
  const bool negated = operation == UnaryOperator::kMinus;
  if (!operand.IsInteger()) return negated ? -operand.number() : operand.number();
  int64_t result = operand.integer();
  if (negated) Checked(__builtin_sub_overflow(int64_t{0}, operand.integer(), &result), result);
  return result;
}

bool IsIn(const Value& item, const Value& container, Budget& budget) {
  if (container.IsString()) {
    if (!item.IsString()) {
      throw Fault(
          fmt::format("'in <string>' requires string as left operand, not {}", TypeName(item)));
    }
    budget.Spend(container.string().size());
    return container.string().find(item.string()) != std::string::npos;
  }
  if (container.IsDict()) {
    if (!IsHashable(item)) throw Fault(fmt::format("unhashable type: '{}'", TypeName(item)));
    return container.dict().Find(item, budget) != nullptr;
  }
  const std::shared_ptr<Iterator> iterator = Iterate(container, budget);
  while (iterator->next < iterator->list->items.size()) {
    if (Equal(iterator->list->items[iterator->next++], item, budget)) return true;
  }
  return false;
}

bool Compare(Comparison comparison, const Value& left, const Value& right, Budget& budget) {
  switch (comparison) {
    case Comparison::kEqual:
      return Equal(left, right, budget);
    case Comparison::kNotEqual:
      return !Equal(left, right, budget);
    case Comparison::kLess:
      return Less(left, right, budget);
    case Comparison::kGreater:
      return Less(right, left, budget);
    case Comparison::kIn:
      return IsIn(left, right, budget);
    case Comparison::kNotIn:
      return !IsIn(left, right, budget);
    case Comparison::kLessEqual:
      return Less(left, right, budget) || Equal(left, right, budget);
    case Comparison::kGreaterEqual:
      return Less(right, left, budget) || Equal(left, right, budget);
  }
  return false;
}

}  // namespace paroquant::chat
