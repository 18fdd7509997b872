// JSON with errors that name the file and the key. Objects keep the order of their keys, so that a
// config.json is written back as it was found.
#ifndef PAROQUANT_IO_JSON_H_
#define PAROQUANT_IO_JSON_H_

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "paroquant/base/error.h"

namespace paroquant::io {

using Json = nlohmann::ordered_json;
// For tables of many thousand keys: to look a key up in an ordered object walks it.
using SortedJson = nlohmann::json;

// How often in a text a key may meet another one of its object: to add a key to an ordered object
// walks it. One object of 14,000 keys, or many smaller ones, comes to that.
inline constexpr uint64_t kMaxKeyMeetings = 100'000'000;

// Parses `text`; `where` names it in errors (kInput: syntax, duplicate key, nesting deeper than
// 64, objects too large for an ordered one).
Json ParseJson(std::string_view text, const std::string& where);
SortedJson ParseSortedJson(std::string_view text, const std::string& where);

// Reads and parses a file of at most 64 MiB.
Json ReadJsonFile(const std::filesystem::path& path);

class AskedKeys;

// A JSON object together with its place, for reading settings out of it.
class JsonObject {
 public:
  // Throws kInput unless `value` is an object. `value` must outlive this, and so must `asked`,
  // which learns of each key that is asked for here and in objects of this one.
  JsonObject(const Json& value, std::string where, AskedKeys* asked = nullptr);

  // What errors call the value of `key` of the object at `where`.
  static std::string PlaceOf(const std::string& where, const std::string& key) {
    return where + ": " + key;
  }

  const std::string& where() const { return where_; }
  const Json& json() const { return value_; }

  // True if the key is there and not null.
  bool Has(const char* key) const;
  // The value of a key that must be there.
  template <typename T>
  T Get(const char* key) const {
    if (!Has(key)) FailAbsent(key, KindName<T>());
    return Convert<T>(key, value_.at(key));
  }
  // The value, or `fallback` if the key is absent or null.
  template <typename T>
  T GetOr(const char* key, T fallback) const {
    return Has(key) ? Convert<T>(key, value_.at(key)) : fallback;
  }
  // The object under a key that must be there.
  JsonObject Object(const char* key) const;

  // Throws kInput for a key of this object.
  [[noreturn]] void Fail(const char* key, const std::string& expected,
                         const std::string& found) const;

 private:
  template <typename T>
  static std::string KindName() {
    if constexpr (std::is_same_v<T, bool>) {
      return "true or false";
    } else if constexpr (std::is_integral_v<T>) {
      return "an integer";
    } else if constexpr (std::is_floating_point_v<T>) {
      return "a number";
    } else {
      return "a string";
    }
  }
  // True for an integer that a T can hold.
  template <typename T>
  static bool Holds(const Json& value) {
    if (value.is_number_unsigned()) return std::in_range<T>(value.template get<uint64_t>());
    return value.is_number_integer() && std::in_range<T>(value.template get<int64_t>());
  }
  template <typename T>
  [[noreturn]] void FailRange(const char* key, const Json& value) const {
    using Limits = std::numeric_limits<T>;
    Fail(key, fmt::format("an integer between {} and {}", Limits::min(), Limits::max()),
         Excerpt(value));
  }
  template <typename T>
  T Convert(const char* key, const Json& value) const {
    if constexpr (std::is_same_v<T, bool>) {
      if (value.is_boolean()) return value.template get<bool>();
    } else if constexpr (std::is_integral_v<T>) {
      if (Holds<T>(value)) return value.template get<T>();
      if (value.is_number_integer()) FailRange<T>(key, value);
    } else if constexpr (std::is_floating_point_v<T>) {
      if (value.is_number()) return value.template get<T>();
    } else {
      static_assert(std::is_same_v<T, std::string>);
      if (value.is_string()) return value.template get<T>();
    }
    Fail(key, KindName<T>(), Excerpt(value));
  }
  // Names a key that is spelled nearly so, if there is one.
  [[noreturn]] void FailAbsent(const char* key, const std::string& expected) const;
  static std::string Excerpt(const Json& value);

  const Json& value_;
  std::string where_;
  AskedKeys* asked_;
};

}  // namespace paroquant::io

#endif  // PAROQUANT_IO_JSON_H_
