// What lines of the log look like, on standard error and in a file.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_LOG_FORMAT_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_LOG_FORMAT_H_

#include <spdlog/formatter.h>

#include <memory>
#include <string>

namespace paroquant::cli {

// By a pattern of spdlog's in which %v stands for the text as Printable has it, on one line: names
// in it may come from a file.
std::unique_ptr<spdlog::formatter> LogFormat(const std::string& pattern);

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_LOG_FORMAT_H_
