// Options whose values are checked as they are read, with messages that name the option.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_OPTION_VALUES_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_OPTION_VALUES_H_

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace paroquant::cli {

// The whole numbers that an option takes, both ends included.
struct IntegerRange {
  uint64_t least = 0;
  uint64_t most = std::numeric_limits<int64_t>::max();
};
// More than any text has, and few enough that sums of them do not overflow.
inline constexpr uint64_t kMostTokens = uint64_t{1} << 40;
inline constexpr IntegerRange kAnySeed = {0, std::numeric_limits<uint64_t>::max()};

// The number that `text` spells in decimal digits and nothing else. Throws kUsage.
uint64_t ParseInteger(const std::string& option, std::string_view text, IntegerRange range);

// A number of bytes: digits and perhaps a unit (kB, MB, ... of 1000, KiB, MiB, ... of 1024). Throws
// kUsage.
uint64_t ParseSize(const std::string& option, std::string_view text);

// Declares an option of a number of bytes.
CLI::Option* AddSize(CLI::App& app, const std::string& name, uint64_t& value,
                     const std::string& help);

// The finite number >= 0 that `text` spells. Throws kUsage.
double ParseNumber(const std::string& option, std::string_view text);

// A number above 0, at most 1. Throws kUsage.
double ParseShare(const std::string& option, std::string_view text);

// The whole number that `text` spells, for this key of a recipe. Throws kUsage, with `where` as the
// place, unless the key takes it.
int64_t ParseRecipeKey(const std::string& where, const std::string& key, std::string_view text);

template <typename T>
struct NumberIn {
  using Type = T;
};
template <typename T>
struct NumberIn<std::optional<T>> {
  using Type = T;
};

// Declares an option of a whole number; T is an integer that holds the range, or an optional one.
template <typename T>
CLI::Option* AddInteger(CLI::App& app, const std::string& name, T& value, IntegerRange range,
                        const std::string& help) {
  const auto read = [name, &value, range](const std::string& text) {
    value = static_cast<typename NumberIn<T>::Type>(ParseInteger(name, text, range));
  };
  return app.add_option_function<std::string>(name, read, help)->type_name("N");
}

// Throws kUsage unless the option's value is text in UTF-8.
void RequireTextOption(const std::string& option, const std::string& text);

// Declares an option of a file or folder, whose name is not empty.
CLI::Option* AddPath(CLI::App& app, const std::string& name, std::string& value,
                     const std::string& help);

// Declares an option of several of them, given at once or by repeating it.
CLI::Option* AddPaths(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                      const std::string& help);
// The words as alternatives in an option's value: "auto|always|never".
std::string Alternatives(const std::vector<std::string>& words);

// What names a recipe: one in the program or a file.
std::string RecipeValue();

// Declares an option that takes one of some words. `value` holds the default.
CLI::Option* AddChoice(CLI::App& app, const std::string& name, std::string& value,
                       const std::vector<std::string>& choices, const std::string& help);

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_OPTION_VALUES_H_
