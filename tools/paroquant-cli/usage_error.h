// What is wrong with a command line, told as all other errors are.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_USAGE_ERROR_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_USAGE_ERROR_H_

#include <CLI/CLI.hpp>

#include "paroquant/base/error.h"

namespace paroquant::cli {

// Throws kUsage if there is a word that neither the program nor the command on its command line
// takes: an unknown command or option, or an argument too much. Suggests what was meant.
void RequireNoExtras(const CLI::App& program);

// What CLI11 refused, as an error of kUsage.
Error UsageError(const CLI::App& program, const CLI::ParseError& error);

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_USAGE_ERROR_H_
