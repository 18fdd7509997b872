#include "log_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <ctime>
#include <iostream>
#include <memory>

#include "log_format.h"
#include "paroquant/base/error.h"
#include "paroquant/base/folder.h"
#include "paroquant/base/memory_use.h"
#include "paroquant/base/parallel.h"
#include "paroquant/base/printable.h"
#include "paroquant/base/quantity_text.h"
#include "paroquant/base/shell_word.h"
#include "paroquant/base/version.h"
#include "paroquant/kernels/instruction_set.h"
#include "result_file.h"

namespace paroquant::cli {
namespace {

std::string command_line;
std::shared_ptr<spdlog::logger> log_file;
int log_descriptor = -1;  // of the same file, for when there is no memory for the logger

// A log that cannot go on is no reason for the work not to.
void OnFault(const std::string& what) {
  static std::atomic<bool> told = false;  // any thread may have something to log
  if (told.exchange(true)) return;
  std::cerr << "warning: the log is not complete: " << Printable(what) << "\n";
}

// The log outlives the run, and OUT is the run's: replaced with --overwrite, else empty at first.
void RequireOwnPlace(const std::string& path, const std::string& out) {
  const auto refuse = [&](const char* expected, const std::string& found, const char* hint) {
    throw Error(
        ErrorKind::kUsage,
        {.where = "--log-file " + path, .expected = expected, .found = found, .hint = hint});
  };
  if (path == "-") {
    refuse("a file", "\"-\"", "What is reported is on standard error without this option.");
  }
  if (!out.empty() && LiesIn(path, out)) {
    refuse("a file outside the output folder", "one inside " + out, "Choose another place.");
  }
}

}  // namespace

void RememberCommand(int argc, char** argv) {
  for (int i = 0; i < argc; ++i) {
    command_line += i == 0 ? "" : " ";
    command_line += ShellWord(argv[i]);
  }
}

void OpenLogFile(const std::string& path, const std::string& out, spdlog::logger& logger) {
  RequireOwnPlace(path, out);
  RequireWritable("--log-file", path);
  auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
  sink->set_formatter(LogFormat("%Y-%m-%d %H:%M:%S.%e %l: %v"));
  log_file = std::make_shared<spdlog::logger>("file", sink);
  log_descriptor = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  logger.sinks().push_back(sink);
  for (spdlog::logger* one : {log_file.get(), &logger}) {
    one->set_level(spdlog::level::debug);
    one->flush_on(spdlog::level::debug);
    one->set_error_handler(OnFault);
  }
  LogToFile(spdlog::level::info, command_line);
  LogToFile(spdlog::level::debug,
            fmt::format("paroquant {}, kernels {}, {}, {} of memory, {} of it free", kVersion,
                        kernels::ActiveInstructionSet(), Counted(ThreadCount(), "thread"),
                        ByteCount(static_cast<int64_t>(MemoryLimit())),
                        ByteCount(static_cast<int64_t>(AvailableMemory()))));
}

void LogToFile(spdlog::level::level_enum level, std::string_view text) {
  if (log_file) log_file->log(level, text);
}

void LogWithoutMemory(std::span<const std::string_view> parts) {
  if (log_descriptor < 0) return;
  timespec now{};
  tm local{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  ::localtime_r(&now.tv_sec, &local);
  std::array<char, 64> line{};  // the beginning of it
  size_t length = std::strftime(line.data(), line.size(), "%Y-%m-%d %H:%M:%S", &local);
  const auto rest = fmt::format_to_n(line.data() + length, line.size() - length,
                                     ".{:03} error: ", now.tv_nsec / 1'000'000);
  length += rest.size;
  [[maybe_unused]] ssize_t written = ::write(log_descriptor, line.data(), length);
  for (const std::string_view part : parts) {
    written = ::write(log_descriptor, part.data(), part.size());
  }
  written = ::write(log_descriptor, "\n", 1);
}

}  // namespace paroquant::cli
