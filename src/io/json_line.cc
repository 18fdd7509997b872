#include "io/json_line.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "paroquant/io/json.h"

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

}  // namespace paroquant::io
