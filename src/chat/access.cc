// Attributes, subscripts and slices.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "chat/methods.h"
#include "chat/operators.h"
#include "chat/strings.h"

namespace paroquant::chat {
namespace {

// As Jinja names an object in "'x object' has no ...".
std::string ObjectName(const Value& object) {
  if (object.IsNone()) return "None";
  return TypeName(object) + " object";
}

Value NoAttribute(const Value& object, std::string_view name) {
  return Value::MakeUndefined(fmt::format("'{}' has no attribute '{}'", ObjectName(object), name));
}

Value NoElement(const Value& object, int64_t index) {
  return Value::MakeUndefined(fmt::format("{} has no element {}", ObjectName(object), index));
}

// What the name stands for apart from the keys of a dict.
std::optional<Value> FindOwnAttribute(const Value& object, std::string_view name) {
  if (object.Is<Namespace*>()) {
    const Value* found = object.Get<Namespace*>()->Find(name);
    return found == nullptr ? std::nullopt : std::optional(*found);
  }
  return FindMethod(object, name);
}

Value AtIndex(const Value& object, int64_t index, Budget& budget) {
  const bool is_string = object.IsString();
  const int64_t length = Length(object, budget);
  const int64_t place = index < 0 ? index + length : index;
  if (place < 0 || place >= length) return NoElement(object, index);
  if (!is_string) return object.AsList()->items[static_cast<size_t>(place)];
  const std::string& text = object.string();
  budget.Spend(text.size() * sizeof(size_t));
  const std::vector<size_t> starts = CharacterStarts(text);
  const size_t start = starts[static_cast<size_t>(place)];
  return Value::String(text.substr(start, starts[static_cast<size_t>(place) + 1] - start),
                       object.IsSafe());
}

bool HasIndices(const Value& object) {
  const List* list = object.AsList();
  return object.IsString() ||
         (list != nullptr && (list->form == ListForm::kList || list->form == ListForm::kTuple ||
                              list->form == ListForm::kRange));
}

std::optional<int64_t> Bound(const Value& value) {
  if (value.IsNone()) return std::nullopt;
  if (value.IsInteger()) return value.integer();
  if (value.IsUndefined()) FailUndefined(value);
  throw Fault(fmt::format("a slice with a bound of type '{}'", TypeName(value)));
}

// The places that Python's slice goes through.
std::vector<size_t> SlicePlaces(int64_t length, std::optional<int64_t> begin,
                                std::optional<int64_t> end, int64_t step) {
  const auto clamp = [&](int64_t bound) {
    if (bound < 0) bound = std::max(bound, -length - 1) + length;
    return std::clamp<int64_t>(bound, step < 0 ? -1 : 0, step < 0 ? length - 1 : length);
  };
  int64_t place = begin ? clamp(*begin) : step < 0 ? length - 1 : 0;
  const int64_t stop = end ? clamp(*end) : step < 0 ? -1 : length;
  // A step beyond the length leaves one place; kept small, the sum below can't overflow.
  step = std::clamp<int64_t>(step, -length - 1, length + 1);
  std::vector<size_t> places;
  for (; step < 0 ? place > stop : place < stop; place += step) {
    places.push_back(static_cast<size_t>(place));
  }
  return places;
}

}  // namespace

Value GetAttribute(const Value& object, std::string_view name, Budget& budget) {
  budget.Spend(sizeof(Value));
  if (object.IsUndefined()) FailUndefined(object);
  if (name.starts_with("__")) {
    throw Fault(fmt::format("the attribute \"{}\"", name), Fault::Kind::kUnsupported);
  }
  if (const std::optional<Value> own = FindOwnAttribute(object, name)) return *own;
  if (!object.IsDict()) return NoAttribute(object, name);
  budget.Spend(object.dict().entries.size());
  const Value* entry = object.dict().Find(name);
  return entry == nullptr ? NoAttribute(object, name) : *entry;
}

Value GetItem(const Value& object, const Value& key, Budget& budget) {
  budget.Spend(sizeof(Value));
  if (object.IsUndefined()) FailUndefined(object);
  if (object.IsDict()) {
    const Value* entry = IsHashable(key) ? object.dict().Find(key, budget) : nullptr;
    if (entry != nullptr) return *entry;
  }
  if (key.IsString()) {
    const std::optional<Value> own = FindOwnAttribute(object, key.string());
    return own ? *own : NoAttribute(object, key.string());
  }
  if (key.IsInteger() && HasIndices(object)) return AtIndex(object, key.integer(), budget);
  if (key.IsInteger()) return NoElement(object, key.integer());
  return Value::MakeUndefined(
      fmt::format("{} has no element of type '{}'", ObjectName(object), TypeName(key)));
}

Value GetPath(const Value& object, const Value& path, Budget& budget) {
  if (!path.IsString()) return GetItem(object, path, budget);
  Value value = object;
  for (const std::string_view part : Split(path.string(), ".", -1)) {
    int64_t index = 0;
    const auto read = std::from_chars(part.data(), part.data() + part.size(), index);
    const bool is_index =
        read.ec == std::errc{} && read.ptr == part.data() + part.size() && index >= 0;
    const Value key = is_index ? Value(index) : Value::String(std::string(part));
    value = GetItem(value, key, budget);
  }
  return value;
}

Value GetSlice(const Value& object, const Value& begin, const Value& end, const Value& step,
               Budget& budget) {
  if (object.IsUndefined()) FailUndefined(object);
  if (!HasIndices(object)) {
    throw Fault(fmt::format("a slice of a value of type '{}'", TypeName(object)));
  }
  const int64_t stride = Bound(step).value_or(1);
  if (stride == 0) throw Fault("slice step cannot be zero");
  const int64_t length = Length(object, budget);
  budget.Spend(static_cast<size_t>(length) * sizeof(Value));
  const std::vector<size_t> places = SlicePlaces(length, Bound(begin), Bound(end), stride);
  if (const List* list = object.AsList()) {
    std::vector<Value> items;
    for (const size_t place : places) items.push_back(list->items[place]);
    return Value::MakeList(std::move(items), list->form);
  }
  const std::string& text = object.string();
  const std::vector<size_t> starts = CharacterStarts(text);
  std::string slice;
  for (const size_t place : places) {
    slice.append(text, starts[place], starts[place + 1] - starts[place]);
  }
  return Value::String(std::move(slice), object.IsSafe());
}

}  // namespace paroquant::chat
