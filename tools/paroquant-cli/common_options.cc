#include "common_options.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

#include "log_file.h"
#include "log_format.h"
#include "option_facts.h"
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

// A terminal that lines can be written over on.
bool UpdatesInPlace() {
  const char* terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

}  // namespace

void CommonOptions::Declare(CLI::App& app) {
  const std::string group = kOptionsOfAll;
  AddPath(app, "--json", json_, "write the machine-readable result to FILE ('-': stdout)")
      ->type_name("FILE")
      ->group(group);
  AddInteger(app, "--threads", threads_, {1, kMaxThreads},
             "threads to use (default: one for each core)")
      ->group(group);
  AddChoice(app, "--log-level", log_level_, {"debug", "info", "warning", "error"},
            "what to report on stderr")
      ->group(group);
  AddPath(app, "--log-file", log_file_, "add all that is reported, with times, to FILE")
      ->type_name("FILE")
      ->group(group);
  app.add_flag("--quiet", quiet_, "report errors only")->group(group);
  app.add_flag("--no-progress", no_progress_, "show no progress")->group(group);
}

void CommonOptions::Apply(const std::string& out) const {
  auto logger = spdlog::stderr_color_mt("paroquant", ColorMode());
  logger->set_formatter(LogFormat("%^%l%$: %v"));
  logger->set_level(spdlog::level::debug);  // the sinks choose
  logger->sinks().front()->set_level(spdlog::level::from_str(ShownLevel()));
  if (threads_ > 0) SetThreadCount(threads_);
  if (!log_file_.empty()) OpenLogFile(log_file_, out, *logger);
  spdlog::set_default_logger(std::move(logger));
  if (!JsonTakesOutput()) RequireWritable("--json", json_, out);
}

void CommonOptions::RefuseJson(const std::string& with) const {
  if (json_.empty()) return;
  throw Error(ErrorKind::kUsage, {.where = "--json",
                                  .expected = "no --json together with " + with,
                                  .found = json_,
                                  .hint = "Leave it out."});
}

const std::string& CommonOptions::ShownLevel() const {
  static const std::string quiet = "error";
  return quiet_ ? quiet : log_level_;
}

std::unique_ptr<Progress> CommonOptions::MakeProgress(uint64_t memory_budget) const {
  const bool info = spdlog::level::from_str(ShownLevel()) <= spdlog::level::info;
  return std::make_unique<TerminalProgress>(ProgressDisplay{.shown = !no_progress_ && info,
                                                            .updates_in_place = UpdatesInPlace(),
                                                            .memory_budget = memory_budget});
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
