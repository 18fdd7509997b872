#include "option_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace paroquant::cli {
namespace {

constexpr char kUsualGroup[] = "Options";  // CLI11's, of options declared without one

std::vector<std::string> SplitAlternatives(const std::string& value) {
  std::vector<std::string> alternatives;
  size_t start = 0;
  while (start < value.size()) {
    const size_t end = std::min(value.find('|', start), value.size());
    alternatives.push_back(value.substr(start, end - start));
    start = end + 1;
  }
  return alternatives;
}

bool IsWord(const std::string& alternative) {
  return std::ranges::none_of(alternative, [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::vector<std::string> NamesOf(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

OptionFacts FactsOfOption(const CLI::Option& option) {
  const bool takes_value = option.get_items_expected_max() > 0;
  const std::string fallback = option.get_default_str();
  std::string help = option.get_description();
  if (!fallback.empty()) help += fmt::format(" (default: {})", fallback);
  return {.names = NamesOf(option),
          .value = takes_value ? option.get_type_name() : "",
          .help = help,
          .group = option.get_group(),
          .is_common = option.get_group() == kUsualGroup,
          .required = option.get_required(),
          .repeatable = option.get_items_expected_max() > 1};
}

}  // namespace

std::vector<std::string> OptionFacts::Words() const {
  std::vector<std::string> words = SplitAlternatives(value);
  std::erase_if(words, [](const std::string& alternative) { return !IsWord(alternative); });
  return words;
}

bool OptionFacts::TakesFile() const {
  return std::ranges::any_of(SplitAlternatives(value),
                             [](const std::string& a) { return a.starts_with("FILE"); });
}

bool OptionFacts::TakesFolder() const {
  constexpr std::array kFolders = {"DIR", "IN", "OUT"};
  return std::ranges::find(kFolders, value) != kFolders.end();
}

std::vector<OptionFacts> FactsOf(const CLI::App& command) {
  const std::array standard = {command.get_help_ptr(), command.get_help_all_ptr(),
                               command.get_version_ptr()};
  std::vector<OptionFacts> facts;
  for (const CLI::Option* option : command.get_options()) {
    if (std::ranges::find(standard, option) != standard.end()) continue;
    facts.push_back(FactsOfOption(*option));
  }
  for (const CLI::Option* option : standard) {
    if (option == nullptr) continue;
    facts.push_back(FactsOfOption(*option));
    if (option == command.get_version_ptr()) continue;
    facts.back().is_help = true;
    facts.back().is_common = false;
    facts.back().group = kOptionsOfAll;
  }
  return facts;
}

std::vector<const CLI::App*> CommandsOf(const CLI::App& program) {
  return program.get_subcommands([](const CLI::App* /*command*/) { return true; });
}

}  // namespace paroquant::cli
