#include "help_text.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "manual.h"
#include "option_facts.h"
#include "text_layout.h"

namespace paroquant::cli {
namespace {

constexpr size_t kNameColumn = 22;
constexpr size_t kCommandColumn = 8;
constexpr size_t kMoreCommandColumn = 10;

// "--recipe NAME", as it is written on the command line.
std::string Syntax(const OptionFacts& option) {
  const std::string name = fmt::format("{}", fmt::join(option.names, ", "));
  return name + (name.empty() || option.value.empty() ? "" : " ") + option.value;
}

std::string Paragraph(const std::string& text, size_t columns) {
  return fmt::format("{}\n", fmt::join(Wrap(text, columns), "\n"));
}

std::string Section(const std::vector<OptionFacts>& options, const std::string& group,
                    size_t columns) {
  const TwoColumns table(kNameColumn, columns);
  std::string text;
  for (const OptionFacts& option : options) {
    if (option.group == group) text += table.Row(Syntax(option), option.help);
  }
  return "\n" + Paragraph(group + ":", columns) + text;
}

bool IsCommon(const CLI::App& command) { return command.get_group() != kMoreCommands; }

std::string CommandTable(const CLI::App& program, bool common, size_t columns) {
  const TwoColumns table(common ? kCommandColumn : kMoreCommandColumn, columns);
  std::string text;
  for (const CLI::App* command : CommandsOf(program)) {
    if (IsCommon(*command) != common) continue;
    text += table.Row(command->get_name(), command->get_description());
  }
  return text;
}

std::string CommandLines(const CLI::App& program, HelpScope scope, size_t columns) {
  if (CommandsOf(program).empty()) return "";
  std::string text = "\nCommands:\n" + CommandTable(program, /*common=*/true, columns);
  if (scope == HelpScope::kAll) {
    text += "\n" + Paragraph(kMoreCommands + std::string(":"), columns) +
            CommandTable(program, /*common=*/false, columns);
  }
  const std::string more = program.get_name() + " COMMAND --help shows what a command takes.";
  return text + "\n" + Paragraph(more, columns);
}

// Names what --help leaves out.
std::string More(const CLI::App& app, const std::vector<OptionFacts>& options, size_t columns) {
  std::vector<std::string> flags;
  std::vector<std::string> commands;
  for (const CLI::App* command : CommandsOf(app)) {
    if (!IsCommon(*command)) commands.push_back(command->get_name());
  }
  if (!commands.empty()) {
    flags.push_back(fmt::format("the commands {}", fmt::join(commands, " and ")));
  }
  for (const OptionFacts& option : options) {
    const bool hidden = option.is_common || option.is_help || option.group.empty();
    if (!hidden) flags.push_back(option.names.back());
  }
  if (flags.empty()) return "";
  return "\n" + Paragraph(fmt::format("With --help-all also {}.", fmt::join(flags, ", ")), columns);
}

std::string Examples(const Manual& manual, size_t columns) {
  std::string text = "\nExamples:\n";
  for (const CommandExample& example : manual.examples) {
    const std::string meaning = example.meaning;
    if (!meaning.empty()) text += Paragraph(meaning, columns);
    text += WrapCommand(example.line, columns) + "\n";
  }
  return text;
}

}  // namespace

std::string UsageOf(const CLI::App& command) {
  if (command.get_parent() == nullptr) return command.get_name() + " COMMAND [OPTION...]";
  std::string usage = fmt::format("{} {}", command.get_parent()->get_name(), command.get_name());
  for (const OptionFacts& option : FactsOf(command)) {
    if (option.required) {
      usage += " " + Syntax(option);
    } else if (option.names.empty()) {
      usage += fmt::format(" [{}]", Syntax(option));
    }
  }
  return usage + " [OPTION...]";
}

std::string HelpText(const CLI::App& command, HelpScope scope, size_t columns) {
  const std::vector<OptionFacts> options = FactsOf(command);
  std::string text = Paragraph("Usage: " + UsageOf(command), columns);
  text += Paragraph(command.get_description(), columns);
  text += CommandLines(command, scope, columns);
  std::vector<std::string> groups;
  for (const OptionFacts& option : options) {
    const bool shown = option.is_common || (scope == HelpScope::kAll && !option.group.empty());
    const bool known = std::ranges::find(groups, option.group) != groups.end();
    if (shown && !known) groups.push_back(option.group);
  }
  for (const std::string& group : groups) text += Section(options, group, columns);
  if (scope == HelpScope::kCommon) return text + More(command, options, columns);
  // The program's own are a walk through its commands, for its manual page.
  if (command.get_parent() != nullptr) text += Examples(ManualOf(command.get_name()), columns);
  return text;
}

}  // namespace paroquant::cli
