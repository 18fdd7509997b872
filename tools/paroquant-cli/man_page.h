// Manual pages, in roff with the macros of man(7).
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_MAN_PAGE_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_MAN_PAGE_H_

#include <CLI/CLI.hpp>
#include <string>

namespace paroquant::cli {

// The page of a command, paroquant-COMMAND.1, or of the program, paroquant.1.
std::string ManPage(const CLI::App& command);

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_MAN_PAGE_H_
