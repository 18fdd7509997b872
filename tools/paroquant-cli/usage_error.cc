#include "usage_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "option_facts.h"
#include "paroquant/base/nearest_word.h"

namespace paroquant::cli {
namespace {

constexpr char kCommandLine[] = "command line";

Error BadUsage(const std::string& where, const std::string& expected, const std::string& found,
               const std::string& hint) {
  return Error(ErrorKind::kUsage,
               {.where = where, .expected = expected, .found = found, .hint = hint});
}

std::string Quoted(const std::string& word) { return "\"" + word + "\""; }

bool IsProgram(const CLI::App& app) { return app.get_parent() == nullptr; }

std::string SeeHelp(const CLI::App& app) {
  return fmt::format("See paroquant {}--help.", IsProgram(app) ? "" : app.get_name() + " ");
}

std::vector<std::string> OptionNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const OptionFacts& option : FactsOf(app)) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}

std::vector<std::string> CommandNames(const CLI::App& program) {
  std::vector<std::string> names;
  for (const CLI::App* command : CommandsOf(program)) names.push_back(command->get_name());
  return names;
}

std::string DidYouMean(const std::string& word, const std::vector<std::string>& known,
                       const std::string& otherwise) {
  const std::string likely = LikelyWord(word, known);
  return likely.empty() ? otherwise : fmt::format("Did you mean {}?", likely);
}

// "--model IN (the 16-bit model folder)"; the same of an argument that stands for itself.
std::string Described(const CLI::Option& option) {
  return fmt::format("{} {} ({})", option.get_name(), option.get_type_name(),
                     option.get_description());
}

// The option that a message of CLI11 is about; nullptr if it is about none.
const CLI::Option* OptionNamedIn(const CLI::App& app, const std::string& message) {
  // Values stand behind the name, and may hold other names.
  constexpr std::string_view kFront = "Could not convert: ";
  std::string_view rest = message;
  if (rest.starts_with(kFront)) rest.remove_prefix(kFront.size());
  const CLI::Option* longest = nullptr;
  for (const CLI::Option* option : app.get_options()) {
    const std::string name = option->get_name();
    if (!rest.starts_with(name)) continue;
    if (longest == nullptr || name.size() > longest->get_name().size()) longest = option;
  }
  return longest;
}

Error MissingValue(const CLI::App& app, const CLI::Option& option, const std::string& found) {
  return BadUsage(option.get_name(), "a value behind it: " + option.get_type_name(), found,
                  SeeHelp(app));
}

// An option takes any word for its value, and so the next option if its own was forgotten. That
// explains whatever follows from it.
void RequireNoOptionAsValue(const CLI::App& app) {
  const std::vector<std::string> names = OptionNames(app);
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& value : option->results()) {
      if (std::ranges::find(names, value) == names.end()) continue;
      throw MissingValue(app, *option, "the option " + value);
    }
  }
}

Error UnknownOption(const CLI::App& app, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  return IsProgram(app)
             ? BadUsage(kCommandLine, "a command first", Quoted(word),
                        DidYouMean(name, OptionNames(app),
                                   "Put it behind the command: paroquant COMMAND --option VALUE."))
             : BadUsage(app.get_name(), "a known option", Quoted(word),
                        DidYouMean(name, OptionNames(app), SeeHelp(app)));
}

Error MisplacedWord(const CLI::App& app, const std::string& word) {
  if (IsProgram(app)) {
    return BadUsage(kCommandLine, "a known command", Quoted(word),
                    DidYouMean(word, CommandNames(app), SeeHelp(app)));
  }
  const bool takes_arguments = std::ranges::any_of(app.get_options(), &CLI::Option::get_positional);
  return BadUsage(app.get_name(), takes_arguments ? "no more arguments" : "options only",
                  "the argument " + Quoted(word),
                  (takes_arguments ? "" : "All values follow an option. ") + SeeHelp(app));
}

void RequireNoExtrasOf(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining();
  if (extras.empty()) return;
  RequireNoOptionAsValue(app);
  const std::string& word = extras.front();
  throw word.starts_with('-') ? UnknownOption(app, word) : MisplacedWord(app, word);
}

Error WrongCount(const CLI::App& app, const CLI::Option& option) {
  const size_t given = option.results().size();
  if (given > static_cast<size_t>(option.get_items_expected_max())) {
    return BadUsage(option.get_name(), "one value", fmt::format("{}", given), "Give it once.");
  }
  return MissingValue(app, option, "the end of the command line");
}

// The command that was given, else the program.
const CLI::App& Chosen(const CLI::App& program) {
  const std::vector<CLI::App*> commands = program.get_subcommands();
  return commands.empty() ? program : *commands.front();
}

}  // namespace

void RequireNoExtras(const CLI::App& program) {
  RequireNoExtrasOf(program);
  const CLI::App& app = Chosen(program);
  if (&app != &program) RequireNoExtrasOf(app);
}

Error UsageError(const CLI::App& program, const CLI::ParseError& error) {
  const CLI::App& app = Chosen(program);
  RequireNoOptionAsValue(app);
  const CLI::Option* option = OptionNamedIn(app, error.what());
  const int kind = option == nullptr ? 0 : error.get_exit_code();
  switch (static_cast<CLI::ExitCodes>(kind)) {
    case CLI::ExitCodes::RequiredError:
      return BadUsage(app.get_name(), Described(*option), "none", SeeHelp(app));
    case CLI::ExitCodes::ConversionError:  // of a flag
      return BadUsage(option->get_name(), "no value", Quoted(option->results().back()),
                      "It is given by itself.");
    case CLI::ExitCodes::ArgumentMismatch:
      return WrongCount(app, *option);
    default:
      return BadUsage(app.get_name(), "what its help shows", error.what(), SeeHelp(app));
  }
}

}  // namespace paroquant::cli
