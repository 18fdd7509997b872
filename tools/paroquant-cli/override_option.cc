#include "override_option.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "option_values.h"
#include "paroquant/base/error.h"
#include "paroquant/base/nearest_word.h"

namespace paroquant::cli {
namespace {

constexpr char kBits[] = "bits";
constexpr char kGroupSize[] = "group-size";

Error BadOverride(const std::string& where, const std::string& expected, const std::string& found,
                  const std::string& likely = "") {
  return Error(ErrorKind::kUsage,
               {.where = where,
                .expected = expected,
                .found = found,
                .hint = likely.empty() ? "Example: --override 'down_proj:bits=8'."
                                       : fmt::format("Did you mean {}?", likely)});
}

// Sets one "key=number" of the option at `where`.
void Set(std::string_view setting, const std::string& where, pipeline::LayerOverride& result) {
  const size_t equals = setting.find('=');
  const std::string key(setting.substr(0, equals));
  if (equals == std::string_view::npos) {
    throw BadOverride(where, "REGEX:bits=8,group-size=64 or one of the two",
                      fmt::format("\"{}\" without \"=\"", key));
  }
  if (key != kBits && key != kGroupSize) {
    throw BadOverride(where, "bits or group-size", fmt::format("\"{}\"", key),
                      LikelyWord(key, {kBits, kGroupSize}));
  }
  std::optional<int>& target = key == kBits ? result.bits : result.group_size;
  if (target) throw BadOverride(where, key + " once", "it twice");
  target = static_cast<int>(ParseRecipeKey(fmt::format("{}: {}", where, key),
                                           key == kBits ? "bits" : "group_size",
                                           setting.substr(equals + 1)));
}

}  // namespace

pipeline::LayerOverride ParseOverride(const std::string& text) {
  const std::string where = "--override " + text;
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    throw BadOverride(where, "REGEX:bits=8,group-size=64 or one of the two",
                      colon == 0 ? "no REGEX" : "no \":\"");
  }
  pipeline::LayerOverride result{.pattern = text.substr(0, colon)};
  std::string_view rest = std::string_view(text).substr(colon + 1);
  while (true) {
    const size_t comma = rest.find(',');
    Set(rest.substr(0, comma), where, result);
    if (comma == std::string_view::npos) return result;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace paroquant::cli
