#include <iostream>
#include <memory>

#include "command.h"
#include "completion_scripts.h"
#include "option_facts.h"
#include "option_values.h"

namespace paroquant::cli {

Run DeclareCompletion(CLI::App& app) {
  app.group(kMoreCommands);
  const auto shell = std::make_shared<std::string>();
  AddChoice(app, "shell", *shell, {"bash", "zsh", "fish"}, "the shell to print a script for")
      ->required();
  return [&program = *app.get_parent(), shell] {
    if (*shell == "bash") std::cout << BashCompletion(program);
    if (*shell == "zsh") std::cout << ZshCompletion(program);
    if (*shell == "fish") std::cout << FishCompletion(program);
    return 0;
  };
}

}  // namespace paroquant::cli
