#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "completion_scripts.h"
#include "option_facts.h"

namespace paroquant::cli {
namespace {

constexpr char kHead[] = R"(# Completes paroquant in bash; printed by "paroquant completion bash".

# _paroquant_reply WORDS [f|d]: one of the words, or the path of a file or a directory.
_paroquant_reply() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
  [[ -n ${2-} ]] || return
  compopt -o filenames 2> /dev/null
  mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen "-$2" -- "$cur")
}

_paroquant() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  # "--option=value" is three words.
  if [[ $cur == "=" ]]; then
    cur=""
  elif [[ $prev == "=" ]]; then
    prev=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  COMPREPLY=()
)";

std::string ReplyOf(const std::vector<std::string>& words, const std::string& paths) {
  return fmt::format("_paroquant_reply \"{}\"{}", fmt::join(words, " "),
                     paths.empty() ? "" : " " + paths);
}

std::string PathsOf(const OptionFacts& option) {
  if (option.TakesFile()) return "f";
  return option.TakesFolder() ? "d" : "";
}

// One line of a case: what may follow this option.
std::string ValueCase(const std::string& command, const OptionFacts& option) {
  std::vector<std::string> patterns;
  for (const std::string& name : option.names) {
    patterns.push_back(fmt::format("\"{} {}\"", command, name));
  }
  return fmt::format("    {}) {}; return ;;\n", fmt::join(patterns, " | "),
                     ReplyOf(option.Words(), PathsOf(option)));
}

// Options and what stands for itself, where no option waits for its value.
std::string CommandCase(const std::string& command, const std::vector<OptionFacts>& options) {
  std::vector<std::string> flags;
  std::vector<std::string> words;
  std::string paths;
  for (const OptionFacts& option : options) {
    flags.insert(flags.end(), option.names.begin(), option.names.end());
    if (!option.names.empty()) continue;
    std::ranges::copy(option.Words(), std::back_inserter(words));
    paths += PathsOf(option);
  }
  std::string text;
  if (!words.empty()) {
    text = fmt::format("    {}\\ [!-]*) {} ;;\n", command, ReplyOf(words, paths));
    flags.insert(flags.begin(), words.begin(), words.end());
  }
  return text + fmt::format("    {}\\ *) {} ;;\n", command, ReplyOf(flags, ""));
}

}  // namespace

std::string BashCompletion(const CLI::App& program) {
  std::vector<std::string> first;
  std::string values;
  std::string commands;
  for (const CLI::App* command : CommandsOf(program)) {
    first.push_back(command->get_name());
    const std::vector<OptionFacts> options = FactsOf(*command);
    for (const OptionFacts& option : options) {
      if (!option.names.empty() && !option.value.empty()) {
        values += ValueCase(command->get_name(), option);
      }
    }
    commands += CommandCase(command->get_name(), options);
  }
  for (const OptionFacts& option : FactsOf(program)) {
    first.insert(first.end(), option.names.begin(), option.names.end());
  }
  return fmt::format(
      "{}  if ((COMP_CWORD == 1)); then\n    {}\n    return\n  fi\n"
      "  case \"${{COMP_WORDS[1]}} $prev\" in\n{}  esac\n"
      "  case \"${{COMP_WORDS[1]}} $cur\" in\n{}  esac\n}}\n\n"
      "complete -F _paroquant paroquant\n",
      kHead, ReplyOf(first, ""), values, commands);
}

}  // namespace paroquant::cli
