// Runs the program in a process of its own.
#ifndef PAROQUANT_TESTS_CLI_CLI_PROCESS_H_
#define PAROQUANT_TESTS_CLI_CLI_PROCESS_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "tests/testing/paths.h"

namespace paroquant::testing {

// The folder of the small model that the tests quantize.
inline const std::string kTinyLlama = DataPath("tiny-llama").string();

struct CliResult {
  int exit_code = -1;
  std::string out;
  std::string error;
};

// Runs `paroquant` with these arguments.
CliResult RunCli(const std::vector<std::string>& arguments);

// Runs a bash script that finds the program and these arguments in "$@".
CliResult RunCliInScript(const std::string& script, const std::vector<std::string>& arguments);

// Is it "paroquant: WHERE: expected EXPECTED, found FOUND. HINT", with none of the four empty and a
// hint that is a sentence?
::testing::AssertionResult HasFourParts(const std::string& error);

// RunCli with --json into a file that is read back; the run must succeed.
io::Json RunCliJson(std::vector<std::string> arguments);

// The words of `quantize` on tiny-llama with so many sequences of its calibration text.
std::vector<std::string> QuantizeTinyLlama(const std::filesystem::path& out, int sequences,
                                           int sequence_length,
                                           const std::vector<std::string>& more = {});

// The commands that the program lists in its full help.
std::vector<std::string> CommandNames();

// The long options of a command, or with "" of the program, by its full help.
std::set<std::string> OptionNames(const std::string& command);

// The bytes of every file of a folder and the folders in it, by its path there.
std::map<std::string, std::string> FolderContent(const std::filesystem::path& folder);

}  // namespace paroquant::testing

#endif  // PAROQUANT_TESTS_CLI_CLI_PROCESS_H_
