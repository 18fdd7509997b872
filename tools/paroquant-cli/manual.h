// What a manual says of a command beside its options.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_MANUAL_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_MANUAL_H_

#include <string>
#include <vector>

namespace paroquant::cli {

struct CommandExample {
  const char* meaning;
  const char* line;  // for a shell; MODEL is a model's folder, TEXT.txt and OTHER.txt are texts
};

struct Manual {
  const char* description;
  std::vector<CommandExample> examples;
};

// Of a command, or of the program under its own name.
const Manual& ManualOf(const std::string& command);

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_MANUAL_H_
