#include "pipeline/front_matter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/ascii.h"
#include "paroquant/base/printable.h"
#include "paroquant/io/json.h"
#include "text/unicode.h"

namespace paroquant::pipeline {
namespace {

constexpr size_t kMaxHead = 64 << 10;  // bytes; those of published models have a few hundred
constexpr size_t kMaxItems = 1000;
constexpr std::string_view kFence = "---";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kBlank = " \t\r";

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// The lines between the fences; nothing if there are none.
std::optional<std::vector<std::string_view>> Head(std::string_view file) {
  std::string_view head = file.substr(0, kMaxHead);
  if (head.starts_with(kByteOrderMark)) head.remove_prefix(kByteOrderMark.size());
  std::vector<std::string_view> lines = Lines(head);
  const auto is_fence = [](std::string_view line) {
    return line.starts_with(kFence) && Trimmed(line) == kFence;
  };
  if (lines.empty() || !is_fence(lines.front())) return std::nullopt;
  const auto end = std::find_if(lines.begin() + 1, lines.end(), is_fence);
  if (end == lines.end()) return std::nullopt;
  return std::vector<std::string_view>(lines.begin() + 1, end);
}

// What is left behind a value on its line: nothing or a comment.
bool IsRest(std::string_view text) {
  const std::string_view rest = Trimmed(text);
  return rest.empty() || (rest.starts_with('#') && text != rest);
}

// Moves behind a quoted scalar at the beginning of `text`. YAML's escapes that JSON lacks are not
// known.
std::optional<std::string> TakeQuoted(std::string_view& text) {
  const char quote = text.front();
  size_t end = 1;
  for (; end < text.size(); ++end) {
    const bool doubled = quote == '\'' && text.substr(end, 2) == "''";
    if (doubled || (quote == '"' && text[end] == '\\')) {
      ++end;
    } else if (text[end] == quote) {
      break;
    }
  }
  if (end >= text.size()) return std::nullopt;
  const std::string_view quoted = text.substr(0, end + 1);
  text.remove_prefix(end + 1);
  if (quote == '"') {
    const io::Json value = io::Json::parse(quoted, nullptr, /*allow_exceptions=*/false);
    return value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt;
  }
  std::string value;
  for (size_t i = 1; i < end; ++i) {
    value += quoted[i];
    if (quoted[i] == '\'') ++i;
  }
  return value;
}

// Moves behind a scalar that ends before one of `ends`, or at a comment.
std::optional<std::string> TakeScalar(std::string_view& text, std::string_view ends) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  if (text.empty()) return std::nullopt;
  if (text.front() == '"' || text.front() == '\'') return TakeQuoted(text);
  constexpr std::string_view kIndicators = "[]{}&*!|>%@`#,?";
  if (kIndicators.find(text.front()) != std::string_view::npos) return std::nullopt;
  const size_t end = std::min({text.find_first_of(ends), text.find(" #"), text.size()});
  const std::string_view value = Trimmed(text.substr(0, end));
  if (value.find(": ") != std::string_view::npos || value.ends_with(':')) return std::nullopt;
  text.remove_prefix(end);
  return std::string(value);
}

// A scalar that is all of a line.
std::optional<std::string> WholeScalar(std::string_view text) {
  std::optional<std::string> value = TakeScalar(text, "");
  return value && IsRest(text) ? value : std::nullopt;
}

// "[a, 'b', c]"
std::optional<std::vector<std::string>> FlowList(std::string_view text) {
  std::vector<std::string> items;
  text.remove_prefix(1);
  while (items.size() < kMaxItems) {
    const std::string_view rest = Trimmed(text);
    if (rest.starts_with(']')) {
      return IsRest(rest.substr(1)) ? std::optional(items) : std::nullopt;
    }
    std::optional<std::string> item = TakeScalar(text, ",]");
    if (!item) return std::nullopt;
    items.push_back(*std::move(item));
    text = Trimmed(text);
    if (text.starts_with(',')) text.remove_prefix(1);
  }
  return std::nullopt;
}

// The lines "- item" from `next` on.
std::optional<std::vector<std::string>> BlockList(std::span<const std::string_view> lines) {
  std::vector<std::string> items;
  for (const std::string_view line : lines) {
    std::string_view text = Trimmed(line);
    if (text.empty() || text.starts_with('#')) continue;
    if (!text.starts_with("- ")) {
      if (line.starts_with(' ') || text.starts_with('-')) return std::nullopt;
      break;  // the next key
    }
    std::optional<std::string> item = WholeScalar(text.substr(2));
    if (!item || items.size() == kMaxItems) return std::nullopt;
    items.push_back(*std::move(item));
  }
  return items.empty() ? std::nullopt : std::optional(items);
}

std::optional<FrontMatter::Value> ParseValue(std::string_view text,
                                             std::span<const std::string_view> below) {
  const bool flow = Trimmed(text).starts_with('[');
  if (flow || IsRest(text)) {
    auto items = flow ? FlowList(Trimmed(text)) : BlockList(below);
    if (!items) return std::nullopt;
    return FrontMatter::Value{.is_list = true, .items = *std::move(items)};
  }
  std::optional<std::string> value = WholeScalar(text);
  if (!value) return std::nullopt;
  return FrontMatter::Value{.items = {*std::move(value)}};
}

// True for what YAML reads as the same text without quotes: a word that is no number, no date and
// none of its names for true, false and null.
bool IsPlain(const std::string& text) {
  constexpr std::array kNames = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"};
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || !letter(text.front())) return false;
  const bool word = std::ranges::all_of(text, [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') ||
           std::string_view("-_./").find(c) != std::string_view::npos;
  });
  return word && std::ranges::find(kNames, AsciiLower(text)) == kNames.end();
}

}  // namespace

std::string FrontMatter::Text(const std::string& key) const {
  const auto found = values.find(key);
  return found == values.end() || found->second.is_list ? "" : found->second.items.front();
}

FrontMatter ParseFrontMatter(std::string_view file, std::span<const char* const> keys) {
  FrontMatter result;
  const auto lines = Head(file);
  if (!lines) return result;
  const auto is_text = [](std::string_view line) {
    return text::ValidUtf8Prefix(line) == line.size() && line.find('\0') == std::string_view::npos;
  };
  if (!std::ranges::all_of(*lines, is_text)) {
    result.problems.emplace_back("its front matter is no UTF-8 text");
    return result;
  }
  for (size_t i = 0; i < lines->size(); ++i) {
    const std::string_view line = (*lines)[i];
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string key(line.substr(0, colon));
    if (std::ranges::find(keys, key) == keys.end()) continue;
    const auto value = ParseValue(line.substr(colon + 1), std::span(*lines).subspan(i + 1));
    if (value) {
      result.values[key] = *value;
    } else {
      result.problems.push_back(fmt::format("its \"{}\" was not understood", key));
    }
  }
  return result;
}

std::string YamlText(const std::string& text) {
  return IsPlain(text) ? text : io::Json(Printable(text)).dump();
}

std::string YamlEntry(const std::string& key, const FrontMatter::Value& value) {
  if (!value.is_list) return fmt::format("{}: {}\n", key, YamlText(value.items.front()));
  std::string text = key + ":\n";
  for (const std::string& item : value.items) text += fmt::format("- {}\n", YamlText(item));
  return text;
}

}  // namespace paroquant::pipeline
