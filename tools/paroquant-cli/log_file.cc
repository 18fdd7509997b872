#include "log_file.h"

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>

#include <iostream>
#include <memory>
#include <utility>

#include "log_format.h"
#include "paroquant/base/memory_use.h"
#include "paroquant/base/parallel.h"
#include "paroquant/base/printable.h"
#include "paroquant/base/quantity_text.h"
#include "paroquant/base/version.h"
#include "paroquant/kernels/instruction_set.h"
#include "result_file.h"

namespace paroquant::cli {
namespace {

std::string command_line;
std::shared_ptr<spdlog::logger> log_file;

// A log that cannot go on is no reason for the work not to.
void OnFault(const std::string& what) {
  static bool told = false;
  if (std::exchange(told, true)) return;
  std::cerr << "warning: the log is not complete: " << Printable(what) << "\n";
}

}  // namespace

void RememberCommand(int argc, char** argv) {
  for (int i = 0; i < argc; ++i) {
    command_line += i == 0 ? "" : " ";
    command_line += argv[i];
  }
}

void OpenLogFile(const std::string& path, spdlog::logger& logger) {
  RequireWritable("--log-file", path);
  auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
  sink->set_formatter(LogFormat("%Y-%m-%d %H:%M:%S.%e %l: %v"));
  log_file = std::make_shared<spdlog::logger>("file", sink);
  logger.sinks().push_back(sink);
  for (spdlog::logger* one : {log_file.get(), &logger}) {
    one->set_level(spdlog::level::debug);
    one->flush_on(spdlog::level::debug);
    one->set_error_handler(OnFault);
  }
  LogToFile(spdlog::level::info, command_line);
  LogToFile(spdlog::level::debug,
            fmt::format("paroquant {}, kernels {}, {} threads, {} of memory, {} of it free",
                        kVersion, kernels::ActiveInstructionSet(), ThreadCount(),
                        ByteCount(static_cast<int64_t>(MemoryLimit())),
                        ByteCount(static_cast<int64_t>(AvailableMemory()))));
}

void LogToFile(spdlog::level::level_enum level, std::string_view text) {
  if (log_file) log_file->log(level, text);
}

}  // namespace paroquant::cli
