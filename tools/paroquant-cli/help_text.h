// What --help and --help-all print.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_HELP_TEXT_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_HELP_TEXT_H_

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>

namespace paroquant::cli {

enum class HelpScope { kCommon, kAll };

// How to call a command, or the program: "paroquant verify --model DIR [OPTION...]".
std::string UsageOf(const CLI::App& command);

// The help of a command, or of the program, in lines of at most `columns`.
std::string HelpText(const CLI::App& command, HelpScope scope, size_t columns);

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_HELP_TEXT_H_
