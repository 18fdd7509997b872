// Text from files, as a terminal or a log may be shown it.
#ifndef PAROQUANT_BASE_PRINTABLE_H_
#define PAROQUANT_BASE_PRINTABLE_H_

#include <string>
#include <string_view>

namespace paroquant {

// One line of valid UTF-8 that commands no terminal: "?" stands for each control character (C0,
// DEL and C1, ends of lines included), end of a line (U+2028 and U+2029), change of the direction
// of writing, noncharacter U+FFFE or U+FFFF, and for what is no UTF-8. Never longer than `text`.
std::string Printable(std::string_view text);

}  // namespace paroquant

#endif  // PAROQUANT_BASE_PRINTABLE_H_
