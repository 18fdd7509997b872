// Scripts that complete the program's commands, options and values in a shell.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_COMPLETION_SCRIPTS_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_COMPLETION_SCRIPTS_H_

#include <CLI/CLI.hpp>
#include <string>

namespace paroquant::cli {

std::string BashCompletion(const CLI::App& program);
std::string ZshCompletion(const CLI::App& program);
std::string FishCompletion(const CLI::App& program);

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_COMPLETION_SCRIPTS_H_
