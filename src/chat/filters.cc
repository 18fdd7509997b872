#include "chat/filters.h"

#include <fmt/format.h>

#include <cstdint>

namespace paroquant::chat {
namespace {

const Filter* Find(std::string_view name) {
  const Filter* filter = FindTextFilter(name);
  return filter != nullptr ? filter : FindListFilter(name);
}

}  // namespace

bool HasFilter(std::string_view name) { return Find(name) != nullptr; }

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
