// Results on standard output: what the system did not take was not given.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_STANDARD_OUTPUT_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_STANDARD_OUTPUT_H_

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "paroquant/base/text_table.h"

namespace paroquant::cli {

// Prints a line for people, as Printable has it: names in it may come from a file. The log gets it,
// too.
void WriteLine(std::string_view line);
template <typename... Values>
void PrintLine(fmt::format_string<Values...> format, Values&&... values) {
  WriteLine(fmt::format(format, std::forward<Values>(values)...));
}

// Each line of a text or table as WriteLine does.
void PrintLines(std::string_view text);
void PrintTable(const TextTable& table);

// Writes out what standard output still holds. Ends the program without a word, by SIGPIPE as the
// system would, if nobody reads on; throws kSystem for any other failure.
void RequireOutputTaken();

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_STANDARD_OUTPUT_H_
