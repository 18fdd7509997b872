#include "chat/filters.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace paroquant::chat {
namespace {

// What Jinja has beyond those that are implemented.
constexpr std::array<std::string_view, 18> kNotImplemented = {
    "attr",     "batch",     "center", "filesizeformat", "forceescape", "format",
    "groupby",  "pprint",    "random", "round",          "slice",       "striptags",
    "truncate", "urlencode", "urlize", "wordcount",      "wordwrap",    "xmlattr"};

const Filter* Find(std::string_view name) {
  const Filter* filter = FindTextFilter(name);
  return filter != nullptr ? filter : FindListFilter(name);
}

}  // namespace

bool HasFilter(std::string_view name) { return Find(name) != nullptr; }

bool IsFilterOfJinja(std::string_view name) {
  return HasFilter(name) || std::ranges::find(kNotImplemented, name) != kNotImplemented.end();
}

Value ApplyFilter(std::string_view name, const Value& input, const Arguments& arguments,
                  Context& context) {
  const Filter* filter = Find(name);
  if (filter == nullptr) {
    throw Fault(fmt::format("the filter \"{}\"", name), Fault::Kind::kUnsupported);
  }
  context.budget.Spend(sizeof(Value));
  return filter->apply(input, arguments, context);
}

size_t NamePlace(std::string_view filter) {
  if (filter == "map" || filter == "select" || filter == "reject") return 0;
  return filter == "selectattr" || filter == "rejectattr" ? 1 : SIZE_MAX;
}

}  // namespace paroquant::chat
