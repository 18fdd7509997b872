// Filters: "value | name(arguments)".
#ifndef PAROQUANT_CHAT_FILTERS_H_
#define PAROQUANT_CHAT_FILTERS_H_

#include <cstddef>
#include <string_view>

#include "chat/arguments.h"
#include "chat/context.h"
#include "chat/value.h"

namespace paroquant::chat {

bool HasFilter(std::string_view name);
// Whether Jinja has it, implemented here or not.
bool IsFilterOfJinja(std::string_view name);
// Throws Fault, also if there is no filter of that name.
Value ApplyFilter(std::string_view name, const Value& input, const Arguments& arguments,
                  Context& context);

// Which positional argument of a filter names another filter (of map) or a test (of select and its
// like); beyond all for other filters.
size_t NamePlace(std::string_view filter);

// The tables behind these, by the kind of input.
struct Filter {
  std::string_view name;
  Value (*apply)(const Value& input, const Arguments& arguments, Context& context);
};
const Filter* FindTextFilter(std::string_view name);
const Filter* FindListFilter(std::string_view name);

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_FILTERS_H_
