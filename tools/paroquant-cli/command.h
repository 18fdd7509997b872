// The commands: each declares its options on a CLI::App and returns what to run once they are
// parsed. The table in commands.cc lists them all.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_COMMAND_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_COMMAND_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <span>

namespace paroquant::cli {

// Returns the exit code of a run that came to its end (0, or 6 when verify found a problem); all
// other faults are thrown as paroquant::Error.
using Run = std::function<int()>;

struct Command {
  const char* name;
  const char* summary;
  Run (*declare)(CLI::App& app);
};

std::span<const Command> Commands();

Run DeclareQuantize(CLI::App& app);
Run DeclareEvalPpl(CLI::App& app);
Run DeclareVerify(CLI::App& app);
Run DeclareInspect(CLI::App& app);
Run DeclareConvert(CLI::App& app);
Run DeclareGenerate(CLI::App& app);
Run DeclareTokenize(CLI::App& app);
Run DeclareRecipe(CLI::App& app);

// These are for packagers and shells, and listed in the full help only.
Run DeclareCompletion(CLI::App& app);
Run DeclareMan(CLI::App& app);

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_COMMAND_H_
