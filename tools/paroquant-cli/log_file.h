// The file that --log-file names: everything that a command tells, with times, whatever the
// terminal is shown of it.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_LOG_FILE_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_LOG_FILE_H_

#include <spdlog/logger.h>

#include <span>
#include <string>
#include <string_view>

namespace paroquant::cli {

// What the log begins with, as the user typed it.
void RememberCommand(int argc, char** argv);

// Opens the file, behind what it holds if it is there, and lets it have all that `logger` gets.
// Throws what RequireWritable does, and kUsage for "-" and for a file in the folder `out`, unless
// that is "". A disk that gets full later is told once and stops nothing.
void OpenLogFile(const std::string& path, const std::string& out, spdlog::logger& logger);

// Writes a line to the file alone; nothing where there is none.
void LogToFile(spdlog::level::level_enum level, std::string_view text);

// Writes an error of several parts to the file. Takes no memory and no lock of ours, so that lines
// of other threads may fall between its parts.
void LogWithoutMemory(std::span<const std::string_view> parts);

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_LOG_FILE_H_
