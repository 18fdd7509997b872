#include "man_page.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "help_text.h"
#include "manual.h"
#include "option_facts.h"
#include "paroquant/base/version.h"
#include "text_layout.h"

namespace paroquant::cli {
namespace {

struct Entry {
  const char* name;
  const char* meaning;
};

constexpr std::array<Entry, 9> kExitCodes = {{
    {"0", "done"},
    {"1", "a fault of the program itself"},
    {"2", "wrong usage"},
    {"3", "bad input: a model, tokenizer, recipe or text"},
    {"4", "not supported"},
    {"5", "the system refused: disk full, permission, memory"},
    {"6", "verify found a problem"},
    {"130", "interrupted; quantize --resume goes on from there"},
    {"141", "ended by SIGPIPE without a word, as nobody reads standard output any more"},
}};

constexpr std::array<Entry, 4> kEnvironment = {{
    {"PAROQUANT_DATA", "where eval-ppl looks for wikitext2 and c4 without --data-dir"},
    {"PAROQUANT_INSTRUCTIONS",
     "portable, avx2 or avx512: the inner loops to use instead of the "
     "best ones that the processor has"},
    {"NO_COLOR", "if set and not empty, messages have no colours"},
    {"COLUMNS", "how wide help is printed, instead of as wide as the terminal"},
}};

// `text` with nothing in it that roff takes for more than letters.
std::string Plain(const std::string& text) {
  std::string plain;
  if (text.starts_with('.') || text.starts_with('\'')) plain += "\\&";
  for (const char c : text) {
    if (c == '\\') {
      plain += "\\e";
    } else if (c == '-') {
      plain += "\\-";
    } else if (c == '|') {
      plain += "|\\:\\%";  // where a long list of alternatives may be broken
    } else {
      plain += c;
    }
  }
  return plain;
}

std::string Bold(const std::string& text) { return "\\fB" + Plain(text) + "\\fR"; }

std::string Tagged(const std::string& tag, const std::string& text) {
  return fmt::format(".TP\n{}\n{}\n", tag, Plain(text));
}

template <size_t kCount>
std::string Section(const std::string& title, const std::array<Entry, kCount>& entries) {
  std::string text = ".SH " + title + "\n";
  for (const Entry& entry : entries) text += Tagged(Bold(entry.name), entry.meaning);
  return text;
}

// Words to be typed are bold, what stands for them is italic.
std::string TagOf(const OptionFacts& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.names) names.push_back(Bold(name));
  const std::string name = fmt::format("{}", fmt::join(names, ", "));
  if (option.value.empty()) return name;
  return fmt::format("{}{}\\fI{}\\fR", name, name.empty() ? "" : " ", Plain(option.value));
}

std::string OptionSections(const CLI::App& command) {
  const std::vector<OptionFacts> options = FactsOf(command);
  std::vector<std::string> groups;
  std::string text = ".SH OPTIONS\n";
  for (const OptionFacts& first : options) {
    if (first.group.empty() || std::ranges::find(groups, first.group) != groups.end()) continue;
    groups.push_back(first.group);
    if (!first.is_common) text += fmt::format(".SS {}\n", Plain(first.group));
    for (const OptionFacts& option : options) {
      if (option.group == first.group) text += Tagged(TagOf(option), option.help);
    }
  }
  return text;
}

std::string PageName(const CLI::App& command) {
  const CLI::App* program = command.get_parent();
  return program == nullptr ? command.get_name() : program->get_name() + "-" + command.get_name();
}

std::string CommandsSection(const CLI::App& program) {
  std::string text = ".SH COMMANDS\n";
  for (const CLI::App* command : CommandsOf(program)) {
    text += Tagged(fmt::format("{}(1)", Bold(PageName(*command))), command->get_description());
  }
  return text;
}

// All other pages.
std::string SeeAlso(const CLI::App& command) {
  const CLI::App& program = command.get_parent() == nullptr ? command : *command.get_parent();
  std::vector<std::string> pages;
  if (&program != &command) pages.push_back(Bold(PageName(program)) + "(1)");
  for (const CLI::App* other : CommandsOf(program)) {
    if (other != &command) pages.push_back(Bold(PageName(*other)) + "(1)");
  }
  return fmt::format(".SH SEE ALSO\n{}\n", fmt::join(pages, ",\n"));
}

std::string ExamplesSection(const Manual& manual) {
  constexpr size_t kColumns = 65;  // that a page of 80 leaves behind its indents
  std::string text = ".SH EXAMPLES\n";
  for (const CommandExample& example : manual.examples) {
    const std::string meaning = example.meaning;
    if (!meaning.empty()) text += fmt::format(".PP\n{}\n", Plain(meaning));
    text +=
        fmt::format(".PP\n.RS 4\n.nf\n{}\n.fi\n.RE\n", Plain(WrapCommand(example.line, kColumns)));
  }
  return text;
}

std::string Upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

}  // namespace

std::string ManPage(const CLI::App& command) {
  const std::string name = PageName(command);
  std::string page =
      fmt::format(".TH {} 1 \"\" \"paroquant {}\"\n.ad l\n.nh\n", Plain(Upper(name)), kVersion);
  page += fmt::format(".SH NAME\n{} \\- {}\n", Plain(name), Plain(command.get_description()));
  page += fmt::format(".SH SYNOPSIS\n{}\n", Plain(UsageOf(command)));
  const Manual& manual = ManualOf(command.get_name());
  page += fmt::format(".SH DESCRIPTION\n{}\n", Plain(manual.description));
  if (command.get_parent() == nullptr) page += CommandsSection(command);
  page += OptionSections(command);
  page += ExamplesSection(manual);
  page += Section("EXIT STATUS", kExitCodes);
  page += Section("ENVIRONMENT", kEnvironment);
  return page + SeeAlso(command);
}

}  // namespace paroquant::cli
