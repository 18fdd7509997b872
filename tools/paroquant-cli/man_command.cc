#include <fmt/ranges.h>

#include <iostream>
#include <memory>

#include "command.h"
#include "man_page.h"
#include "option_facts.h"
#include "option_values.h"

namespace paroquant::cli {

Run DeclareMan(CLI::App& app) {
  app.group(kMoreCommands);
  std::vector<std::string> names;
  for (const CLI::App* command : CommandsOf(*app.get_parent())) {
    names.push_back(command->get_name());
  }
  const auto name = std::make_shared<std::string>();
  const auto list = std::make_shared<bool>(false);
  AddChoice(app, "command", *name, names, "the command, or none for the program");
  app.add_flag("--list", *list, "print the names of the commands that have a page");
  return [&program = *app.get_parent(), name, list, names] {
    if (*list) {
      std::cout << fmt::format("{}\n", fmt::join(names, "\n"));
      return 0;
    }
    std::cout << ManPage(name->empty() ? program : *program.get_subcommand(*name));
    return 0;
  };
}

}  // namespace paroquant::cli
