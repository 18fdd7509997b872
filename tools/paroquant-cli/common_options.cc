#include "common_options.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "paroquant/base/error.h"
#include "paroquant/base/file.h"
#include "paroquant/base/parallel.h"
#include "terminal_progress.h"

namespace paroquant::cli {
namespace {

constexpr int kMaxThreads = 1024;

spdlog::color_mode ColorMode() {
  const char* no_color = std::getenv("NO_COLOR");
  const bool refused = no_color != nullptr && *no_color != '\0';
  return refused ? spdlog::color_mode::never : spdlog::color_mode::automatic;
}

}  // namespace

void CommonOptions::Declare(CLI::App& app) {
  const std::string group = "Common";
  app.add_option("--json", json_, "write the machine-readable result to FILE ('-': stdout)")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--threads", threads_, "threads to use (default: all this process may use)")
      ->check(CLI::Range(1, kMaxThreads))
      ->type_name("N")
      ->group(group);
  app.add_option("--log-level", log_level_, "what to report on stderr")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str()
      ->group(group);
  app.add_flag("--quiet", quiet_, "report errors only")->group(group);
  app.add_flag("--no-progress", no_progress_, "show no progress")->group(group);
}

void CommonOptions::Apply() const {
  auto logger = spdlog::stderr_color_mt("paroquant", ColorMode());
  logger->set_pattern("%^%l%$: %v");
  logger->set_level(spdlog::level::from_str(quiet_ ? "error" : log_level_));
  spdlog::set_default_logger(std::move(logger));
  if (threads_ > 0) SetThreadCount(threads_);
  RequireFolderOf(json_);
}

void CommonOptions::RefuseJson(const std::string& with) const {
  if (json_.empty()) return;
  throw Error(ErrorKind::kUsage, {.where = "--json",
                                  .expected = "no --json together with " + with,
                                  .found = json_,
                                  .hint = "Leave it out."});
}

std::unique_ptr<Progress> CommonOptions::MakeProgress() const {
  const bool shown = !quiet_ && !no_progress_;
  return std::make_unique<TerminalProgress>(shown, shown && isatty(STDERR_FILENO) == 1);
}

void CommonOptions::WriteJson(const nlohmann::ordered_json& result) const {
  if (json_.empty()) return;
  const std::string text =
      result.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  if (json_ == "-") {
    std::cout << text << std::flush;
  } else {
    WriteFile(json_, text);
  }
}

void RequireFolderOf(const std::string& path) {
  if (path.empty() || path == "-") return;
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  std::error_code error;
  if (std::filesystem::is_directory(folder, error)) return;
  throw Error(ErrorKind::kSystem, {.where = path,
                                   .expected = "a folder to write this file to",
                                   .found = folder.string() + " is none",
                                   .hint = "Create it first."});
}

}  // namespace paroquant::cli
