#include "option_values.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "paroquant/base/error.h"
#include "paroquant/base/nearest_word.h"
#include "paroquant/method/recipe.h"
#include "paroquant/text/dataset.h"

namespace paroquant::cli {
namespace {

constexpr char kSeeHelp[] = "Run with --help for the options.";
constexpr size_t kShownLength = 40;

struct SizeUnit {
  std::string_view name;
  uint64_t bytes;
};
constexpr std::array<SizeUnit, 16> kSizeUnits = {{{"", 1},
                                                  {"b", 1},
                                                  {"k", 1000},
                                                  {"kb", 1000},
                                                  {"ki", 1024},
                                                  {"kib", 1024},
                                                  {"m", 1000'000},
                                                  {"mb", 1000'000},
                                                  {"mi", 1 << 20},
                                                  {"mib", 1 << 20},
                                                  {"g", 1000'000'000},
                                                  {"gb", 1000'000'000},
                                                  {"gi", 1 << 30},
                                                  {"gib", 1 << 30},
                                                  {"t", 1000'000'000'000},
                                                  {"tb", 1000'000'000'000}}};

// What was given, cut to what fits on a line.
std::string Shown(std::string_view text) {
  return fmt::format("\"{}{}\"", text.substr(0, kShownLength),
                     text.size() > kShownLength ? "..." : "");
}

Error BadValue(const std::string& option, std::string expected, std::string_view found,
               std::string hint = kSeeHelp) {
  return Error(ErrorKind::kUsage, {.where = option,
                                   .expected = std::move(expected),
                                   .found = Shown(found),
                                   .hint = std::move(hint)});
}

// True if all of `text` spells a T.
template <typename T>
bool Spells(std::string_view text, T& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end;
}

void RequirePath(const std::string& option, const std::string& text) {
  if (text.empty()) throw BadValue(option, "a path", text);
}

}  // namespace

uint64_t ParseInteger(const std::string& option, std::string_view text, IntegerRange range) {
  uint64_t value = 0;
  if (Spells(text, value) && value >= range.least && value <= range.most) return value;
  throw BadValue(option, fmt::format("a whole number from {} to {}", range.least, range.most),
                 text);
}

uint64_t ParseSize(const std::string& option, std::string_view text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  std::string unit(text.substr(digits));
  std::ranges::transform(unit, unit.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto known = std::ranges::find(kSizeUnits, std::string_view(unit), &SizeUnit::name);
  uint64_t count = 0;
  const bool fits = known != kSizeUnits.end() && Spells(text.substr(0, digits), count) &&
                    count <= std::numeric_limits<int64_t>::max() / known->bytes;
  if (fits) return count * known->bytes;
  throw BadValue(option, "a number of bytes, perhaps with a unit from kB to TB or KiB to GiB", text,
                 "Example: " + option + " 5GB.");
}

double ParseNumber(const std::string& option, std::string_view text) {
  double value = 0.0;
  if (Spells(text, value) && std::isfinite(value) && value >= 0.0) return value;
  throw BadValue(option, "a finite number, 0 or more", text);
}

double ParseShare(const std::string& option, std::string_view text) {
  double value = 0.0;
  if (Spells(text, value) && value > 0.0 && value <= 1.0) return value;
  throw BadValue(option, "a number above 0, at most 1", text);
}

int64_t ParseRecipeKey(const std::string& where, const std::string& key, std::string_view text) {
  int64_t number = 0;
  method::Recipe scratch;
  const bool is_number = Spells(text, number);
  method::SetRecipeKey(scratch, key, is_number ? io::Json(number) : io::Json(std::string(text)),
                       where);
  return number;
}

void RequireTextOption(const std::string& option, const std::string& text) {
  try {
    text::RequireText(text, option);
  } catch (const Error& error) {
    ErrorParts parts = error.parts();
    parts.where = option;
    parts.hint = "Type or pass it in UTF-8: the terminal or a script has another encoding.";
    throw Error(ErrorKind::kUsage, parts);
  }
}

CLI::Option* AddPath(CLI::App& app, const std::string& name, std::string& value,
                     const std::string& help) {
  const auto read = [name, &value](const std::string& text) {
    RequirePath(name, text);
    value = text;
  };
  return app.add_option_function<std::string>(name, read, help);
}

CLI::Option* AddPaths(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                      const std::string& help) {
  const auto read = [name, &values](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) RequirePath(name, text);
    values = texts;
  };
  return app.add_option_function<std::vector<std::string>>(name, read, help);
}

CLI::Option* AddSize(CLI::App& app, const std::string& name, uint64_t& value,
                     const std::string& help) {
  const auto read = [name, &value](const std::string& text) { value = ParseSize(name, text); };
  return app.add_option_function<std::string>(name, read, help)->type_name("SIZE");
}

std::string Alternatives(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, "|"));
}

std::string RecipeValue() { return Alternatives(method::ShippedRecipes()) + "|FILE.json"; }

CLI::Option* AddChoice(CLI::App& app, const std::string& name, std::string& value,
                       const std::vector<std::string>& choices, const std::string& help) {
  const auto read = [name, &value, choices](const std::string& text) {
    value = text;
    if (std::ranges::find(choices, text) != choices.end()) return;
    const std::string nearest = LikelyWord(text, choices);
    throw BadValue(name, fmt::format("one of {}", fmt::join(choices, ", ")), text,
                   nearest.empty() ? kSeeHelp : fmt::format("Did you mean {}?", nearest));
  };
  return app.add_option_function<std::string>(name, read, help)
      ->type_name(Alternatives(choices))
      ->default_str(value);
}

}  // namespace paroquant::cli
