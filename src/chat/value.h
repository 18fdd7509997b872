// The values that a template computes with: Python's, as far as templates can tell.
#ifndef PAROQUANT_CHAT_VALUE_H_
#define PAROQUANT_CHAT_VALUE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "chat/fault.h"
#include "paroquant/io/json.h"

namespace paroquant::chat {

struct Dict;
struct Iterator;
struct List;
struct Loop;
struct MacroStatement;
struct Method;
struct Namespace;
enum class ListForm;

// What a name without a value gives. Most uses of it are errors with this message.
struct Undefined {
  std::string message;
};
struct None {};
// `safe`: marked as HTML that needs no escapes ("| safe"), which tells when such strings are added.
struct Text {
  std::string text;
  bool safe = false;
};
enum class Function { kDict, kNamespace, kRaiseException, kRange, kStrftimeNow };

template <typename T, typename Variant>
inline constexpr bool kIsAlternative = false;
template <typename T, typename... All>
inline constexpr bool kIsAlternative<T, std::variant<All...>> = (std::is_same_v<T, All> || ...);

// Cheap to copy; what it refers to is immutable, except for namespaces, loops and the place that
// an iterator has come to.
class Value {
 public:
  using Storage =
      std::variant<Undefined, None, bool, int64_t, double, std::shared_ptr<const Text>,
                   std::shared_ptr<const List>, std::shared_ptr<const Dict>,
                   std::shared_ptr<Iterator>, std::shared_ptr<Loop>, std::shared_ptr<const Method>,
                   Namespace*, const MacroStatement*, Function>;

  Value() : storage_(None{}) {}
  template <typename T>
  requires kIsAlternative<T, Storage>
  // NOLINTNEXTLINE(google-explicit-constructor): a value is what it holds.
  Value(T content) : storage_(std::in_place_type<T>, std::move(content)) {}

  static Value String(std::string text, bool safe = false);
  // Throws Fault if it would be nested too deep.
  static Value MakeList(std::vector<Value> items);
  static Value MakeList(std::vector<Value> items, ListForm form);
  // A key that comes twice keeps its first place and its last value. Throws Fault for a key that
  // can't be one, or if it would be nested too deep.
  static Value MakeDict(std::vector<std::pair<Value, Value>> entries, Budget& budget);
  static Value MakeUndefined(std::string message) { return Undefined{std::move(message)}; }
  static Value FromJson(const io::Json& json, Budget& budget);

  template <typename T>
  bool Is() const {
    return std::holds_alternative<T>(storage_);
  }
  template <typename T>
  const T& Get() const {
    return std::get<T>(storage_);
  }
  const Storage& storage() const { return storage_; }

  bool IsUndefined() const { return Is<Undefined>(); }
  bool IsNone() const { return Is<None>(); }
  bool IsString() const { return Is<std::shared_ptr<const Text>>(); }
  bool IsDict() const { return Is<std::shared_ptr<const Dict>>(); }
  // A bool is an integer, as in Python.
  bool IsInteger() const { return Is<int64_t>() || Is<bool>(); }
  bool IsNumber() const { return IsInteger() || Is<double>(); }
  bool IsSafe() const;

  // Those below need the kind that they name.
  const std::string& string() const { return Get<std::shared_ptr<const Text>>()->text; }
  int64_t integer() const { return Is<bool>() ? int64_t{Get<bool>()} : Get<int64_t>(); }
  double number() const { return Is<double>() ? Get<double>() : static_cast<double>(integer()); }
  const Dict& dict() const { return *Get<std::shared_ptr<const Dict>>(); }

  // The list if this is one, or a tuple, a range or a view of a dict; else null.
  const List* AsList() const;

 private:
  Storage storage_;
};

enum class ListForm { kList, kTuple, kRange, kKeys, kValues, kItems };

struct List {
  std::vector<Value> items;
  ListForm form = ListForm::kList;
  int depth = 1;  // of nested lists and dicts, this one included
};

struct Dict {
  std::vector<std::pair<Value, Value>> entries;  // in the order of insertion
  int depth = 1;

  const Value* Find(const Value& key, Budget& budget) const;
  const Value* Find(std::string_view key) const;
};

// What filters such as map give: it goes through its items once.
struct Iterator {
  std::shared_ptr<const List> list;
  size_t next = 0;
};

// The variable `loop` of a for statement. Items may be filtered, so one only learns by looking
// ahead whether there is another.
struct Loop {
  std::shared_ptr<Iterator> source;
  std::deque<Value> ahead;  // looked at, but not yet gone to
  int64_t index = -1;       // of the current item, from 0
  Value previous;
  Value current;
};

struct Namespace {
  std::vector<std::pair<std::string, Value>> attributes;

  const Value* Find(std::string_view name) const;
  void Set(std::string_view name, Value value);
};

// A function bound to the value it is called on: "text".strip
struct Method {
  Value receiver;
  std::string name;
};

// As Python names its type: "str", "NoneType", ...
std::string TypeName(const Value& value);
bool Truth(const Value& value);
// Whether it can be a key of a dict.
bool IsHashable(const Value& value);
// Python's ==.
bool Equal(const Value& left, const Value& right, Budget& budget);
// Python's <. Throws Fault for kinds without an order.
bool Less(const Value& left, const Value& right, Budget& budget);

// The items to iterate over, from where an iterator has come to. Throws Fault for what has none.
std::shared_ptr<Iterator> Iterate(const Value& value, Budget& budget);
// All of them, in a list of their own.
std::vector<Value> Items(const Value& value, Budget& budget);
// Python's len(). Throws Fault for what has none.
int64_t Length(const Value& value, Budget& budget);

[[noreturn]] void FailUndefined(const Value& undefined);

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_VALUE_H_
