#include <fmt/ranges.h>

#include "completion_scripts.h"
#include "option_facts.h"
#include "paroquant/base/shell_word.h"

namespace paroquant::cli {
namespace {

// `text` inside an _arguments specification, where brackets and colons have a meaning.
std::string Escaped(const std::string& text) {
  std::string plain;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') plain += '\\';
    plain += c;
  }
  return plain;
}

// ":message:action" for an option's value.
std::string ValueSpec(const OptionFacts& option) {
  const std::vector<std::string> words = option.Words();
  const std::string list = fmt::format("({})", fmt::join(words, " "));
  std::string action = " ";
  if (option.TakesFile() && !words.empty()) {
    action = fmt::format("_alternative \"words:word:{}\" \"files:file:_files\"", list);
  } else if (option.TakesFile()) {
    action = "_files";
  } else if (option.TakesFolder()) {
    action = "_files -/";
  } else if (!words.empty()) {
    action = list;
  }
  return fmt::format(":{}:{}", words.empty() ? Escaped(option.value) : "value", action);
}

std::string ArgumentSpecs(const std::vector<OptionFacts>& options) {
  std::string text;
  for (const OptionFacts& option : options) {
    if (option.names.empty()) text += " \\\n        " + ShellQuoted(ValueSpec(option));
    for (const std::string& name : option.names) {
      const bool takes_value = !option.value.empty();
      const std::string spec =
          fmt::format("{}{}{}[{}]{}", option.repeatable ? "*" : "", name, takes_value ? "=" : "",
                      Escaped(option.help), takes_value ? ValueSpec(option) : "");
      text += " \\\n        " + ShellQuoted(spec);
    }
  }
  return text;
}

}  // namespace

std::string ZshCompletion(const CLI::App& program) {
  std::string summaries;
  std::string cases;
  for (const CLI::App* command : CommandsOf(program)) {
    const std::string& name = command->get_name();
    summaries += fmt::format(
        "    {}\n", ShellQuoted(fmt::format("{}:{}", name, Escaped(command->get_description()))));
    cases += fmt::format("    {})\n      _arguments{}\n      ;;\n", name,
                         ArgumentSpecs(FactsOf(*command)));
  }
  return fmt::format(
      "#compdef paroquant\n# Completes paroquant in zsh; printed by \"paroquant completion "
      "zsh\".\n\n"
      "_paroquant() {{\n  local -a commands=(\n{}  )\n"
      "  if ((CURRENT == 2)); then\n    _describe command commands\n    _arguments{}\n    return\n"
      "  fi\n  local command=$words[2]\n  shift words\n  ((CURRENT--))\n"
      "  case $command in\n{}  esac\n}}\n\n"
      "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n  _paroquant \"$@\"\nelse\n"
      "  compdef _paroquant paroquant\nfi\n",
      summaries, ArgumentSpecs(FactsOf(program)), cases);
}

}  // namespace paroquant::cli
