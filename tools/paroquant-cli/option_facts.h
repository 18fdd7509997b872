// What a command takes, as plain data read off its declarations: what help, man pages and shell
// completions are made of.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_OPTION_FACTS_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_OPTION_FACTS_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace paroquant::cli {

// Options of CLI11's own group are the ones that --help shows. All others are declared with a
// group, and --help-all shows them below its name.
inline constexpr char kMoreOptions[] = "More options";
inline constexpr char kOptionsOfAll[] = "Options of all commands";
// Commands of this group are those that --help of the program leaves to --help-all.
inline constexpr char kMoreCommands[] = "More commands";

struct OptionFacts {
  // "--recipe", or "-h" and "--help"; none for an argument that stands for itself.
  std::vector<std::string> names;
  // What follows the name, "" if nothing does: alternatives such as "self|FILE". Those in lower
  // case and digits are typed as they are; FILE (with an ending or not), DIR, IN and OUT are paths.
  std::string value;
  std::string help;
  std::string group;
  bool is_common = false;  // belongs into --help
  bool is_help = false;    // --help or --help-all itself
  bool required = false;
  bool repeatable = false;

  // The alternatives of `value` that are typed as they are.
  std::vector<std::string> Words() const;
  bool TakesFile() const;
  bool TakesFolder() const;
};

// In the order of their declaration; the flags for help and version come last.
std::vector<OptionFacts> FactsOf(const CLI::App& command);

// The commands of the program, in their order.
std::vector<const CLI::App*> CommandsOf(const CLI::App& program);

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_OPTION_FACTS_H_
