#include "common_options.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "option_values.h"
#include "paroquant/base/error.h"
#include "paroquant/base/parallel.h"
#include "result_file.h"
#include "terminal_progress.h"

namespace paroquant::cli {
namespace {

constexpr uint64_t kMaxThreads = 1024;

spdlog::color_mode ColorMode() {
  const char* no_color = std::getenv("NO_COLOR");
  const bool refused = no_color != nullptr && *no_color != '\0';
  return refused ? spdlog::color_mode::never : spdlog::color_mode::automatic;
}

}  // namespace

void CommonOptions::Declare(CLI::App& app) {
  const std::string group = "Common";
  AddPath(app, "--json", json_, "write the machine-readable result to FILE ('-': stdout)")
      ->type_name("FILE")
      ->group(group);
  AddInteger(app, "--threads", threads_, {1, kMaxThreads},
             "threads to use (default: one for each core)")
      ->group(group);
  AddChoice(app, "--log-level", log_level_, {"debug", "info", "warning", "error"},
            "what to report on stderr")
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
  if (!JsonTakesOutput()) RequireWritable("--json", json_);
}

void CommonOptions::RefuseJson(const std::string& with) const {
  if (json_.empty()) return;
  throw Error(ErrorKind::kUsage, {.where = "--json",
                                  .expected = "no --json together with " + with,
                                  .found = json_,
                                  .hint = "Leave it out."});
}

std::unique_ptr<Progress> CommonOptions::MakeProgress() const {
  const bool shown = !no_progress_ && spdlog::should_log(spdlog::level::info);
  return std::make_unique<TerminalProgress>(shown, shown && isatty(STDERR_FILENO) == 1);
}

void CommonOptions::WriteJson(const nlohmann::ordered_json& result) const {
  if (json_.empty()) return;
  const std::string text = ResultText(result);
  if (JsonTakesOutput()) {
    std::cout << text << std::flush;
  } else {
    WriteResultText(json_, text);
  }
}

}  // namespace paroquant::cli
