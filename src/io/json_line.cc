#include "io/json_line.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "io/foreign_content.h"

namespace paroquant::io {

int64_t LineAt(std::string_view text, size_t byte) {
  return 1 + std::ranges::count(text.substr(0, byte), '\n');
}

int64_t LineOfKey(std::string_view text, std::string_view key) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> path;
  int64_t line = 0;
  const auto look = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (event != Json::parse_event_t::key) return true;
    path.resize(static_cast<size_t>(depth));
    path.back() = parsed.get<std::string>();
    // The parser has read no further than to the end of the key.
    if (fmt::format("{}", fmt::join(path, ".")) == key) {
      line = LineAt(text, static_cast<size_t>(stream.tellg()));
    }
    return true;
  };
  std::ignore = Json::parse(stream, look);
  return line;
}

int64_t LineOfFault(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  int64_t line = 0;
  // The parser has read no further than to the end of a key, or one byte behind a number.
  const auto here = [&] { return LineAt(text, static_cast<size_t>(stream.tellg()) - 1); };
  using Event = SortedJson::parse_event_t;
  const auto look = [&](int /*depth*/, Event event, SortedJson& parsed) {
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    const bool twice = event == Event::key && !keys.back().insert(parsed.get<std::string>()).second;
    if (twice && line == 0) line = here();
    return true;
  };
  try {
    // Json would meet all keys of an object at each of them, and there may be any number here.
    std::ignore = SortedJson::parse(stream, look);
  } catch (const SortedJson::parse_error& error) {
    if (line == 0) line = LineAt(text, error.byte > 0 ? error.byte - 1 : 0);
  } catch (const SortedJson::out_of_range&) {
    if (line == 0) line = here();
  }
  return line;
}

Json ParseWrittenJson(std::string_view text, const std::string& file) {
  try {
    return ParseJson(text, file);
  } catch (const Error& error) {
    if (RecogniseForeignContent(text)) throw;
    ErrorParts parts = error.parts();
    const int64_t line = LineOfFault(text);
    if (parts.found.starts_with("a syntax error")) {
      parts.found.resize(std::min(parts.found.find(", in line"), parts.found.size()));
    }
    if (line > 0) parts.where += fmt::format(":{}", line);
    parts.hint =
        "Mend the file there: JSON has each key once, no comma behind the last entry, no comments.";
    throw Error(error.kind(), parts);
  }
}

}  // namespace paroquant::io
