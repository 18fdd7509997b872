// Options that every command takes.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_COMMON_OPTIONS_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_COMMON_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "paroquant/base/progress.h"

namespace paroquant::cli {

class CommonOptions {
 public:
  // Declares --json, --threads, --log-level, --log-file, --quiet and --no-progress.
  void Declare(CLI::App& app);

  // Sets threads and logging up, and refuses a --json or --log-file that can't be written, or a log
  // in the folder `out`, if the command is to make one. To be called first by each command.
  void Apply(const std::string& out = "") const;

  // A progress display as asked for: on standard error, or none where only warnings or less are
  // asked for. `memory_budget` is told to those who ask for it.
  std::unique_ptr<Progress> MakeProgress(uint64_t memory_budget = 0) const;

  // True if the human-readable result belongs on standard output, which --json - takes over.
  bool ShowsText() const { return !JsonTakesOutput(); }
  bool quiet() const { return quiet_; }

  // Throws kUsage if --json was given; `with` says what it does not go together with.
  void RefuseJson(const std::string& with) const;

  // Writes the machine-readable result where --json asks for it, if it does.
  void WriteJson(const nlohmann::ordered_json& result) const;

 private:
  const std::string& ShownLevel() const;
  bool JsonTakesOutput() const { return json_ == "-" || json_ == "/dev/stdout"; }

  std::string json_;
  int threads_ = 0;
  std::string log_level_ = "info";
  std::string log_file_;
  bool quiet_ = false;
  bool no_progress_ = false;
};

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_COMMON_OPTIONS_H_
