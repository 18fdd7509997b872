#include <fmt/ranges.h>

#include "completion_scripts.h"
#include "option_facts.h"
#include "paroquant/base/shell_word.h"

namespace paroquant::cli {
namespace {

// What follows an option: words, files, folders or anything.
std::string ValueArguments(const OptionFacts& option) {
  if (option.value.empty()) return "";
  std::string text = option.TakesFile() ? " -r -F" : " -x";
  if (option.TakesFolder()) text += " -a '(__fish_complete_directories)'";
  const std::vector<std::string> words = option.Words();
  if (!words.empty()) text += fmt::format(" -a '{}'", fmt::join(words, " "));
  return text;
}

std::string FlagArguments(const OptionFacts& option) {
  std::string text;
  for (const std::string& name : option.names) {
    const bool is_long = name.starts_with("--");
    text += fmt::format(" -{} {}", is_long ? 'l' : 's', name.substr(is_long ? 2 : 1));
  }
  return text;
}

// Lines for the options of the program, or of a command, where `condition` holds.
std::string Lines(const std::vector<OptionFacts>& options, const std::string& condition) {
  std::string text;
  for (const OptionFacts& option : options) {
    text += fmt::format("complete -c paroquant -n '{}'{}{} -d {}\n", condition,
                        FlagArguments(option), ValueArguments(option), ShellQuoted(option.help));
  }
  return text;
}

}  // namespace

std::string FishCompletion(const CLI::App& program) {
  const std::string no_command = "__fish_use_subcommand";
  std::string text =
      "# Completes paroquant in fish; printed by \"paroquant completion fish\".\n"
      "complete -c paroquant -f\n";
  text += Lines(FactsOf(program), no_command);
  for (const CLI::App* command : CommandsOf(program)) {
    text += fmt::format("complete -c paroquant -n '{}' -a {} -d {}\n", no_command,
                        command->get_name(), ShellQuoted(command->get_description()));
    text += Lines(FactsOf(*command), "__fish_seen_subcommand_from " + command->get_name());
  }
  return text;
}

}  // namespace paroquant::cli
