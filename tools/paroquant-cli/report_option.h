// --report: the result of a command as files for people (.html) and for scripts (.json).
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_REPORT_OPTION_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_REPORT_OPTION_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace paroquant::cli {

class ReportOption {
 public:
  void Declare(CLI::App& app);

  // Throws kUsage for a file with another ending, and what RequireWritable throws. To be called
  // before the work, with the folder that the work makes, if it makes one.
  void RequireUsable(const std::string& out = "") const;
  // Throws kUsage if a page is asked for; `with` says what has none.
  void RefusePages(const std::string& with) const;

  bool WantsPage() const;

  // Writes `json`, and what `page` makes, to the files that are to hold it. Each appears whole or
  // not at all.
  void Write(const nlohmann::ordered_json& json, const std::function<std::string()>& page) const;

 private:
  std::vector<std::string> files_;
};

// The command as it was given, for a shell, without the options that change no result.
std::string CommandText(const CLI::App& app);

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_REPORT_OPTION_H_
