// The documents name options that there are, and show no command that no test runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "paroquant/base/file.h"
#include "tests/cli/cli_process.h"
#include "tests/cli/document_blocks.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using testing::ProjectPath;

std::set<std::string> AllOptions() {
  std::set<std::string> options = testing::OptionNames("");
  for (const std::string& command : testing::CommandNames())
    options.merge(testing::OptionNames(command));
  return options;
}

// All scripts in one: they have options, too.
std::string Scripts() {
  std::string text;
  for (const char* folder : {"tools", "bench", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(ProjectPath(folder))) {
      const std::string ending = entry.path().extension().string();
      const bool script = ending == ".sh" || ending == ".py" || entry.path().filename() == "run";
      if (script && entry.is_regular_file()) text += ReadFile(entry.path());
    }
  }
  return text;
}

TEST(DocumentationTest, TheExampleOfTheLibraryIsTheOneThatIsTested) {
  const std::string document = ReadFile(ProjectPath("docs/library.md"));
  const std::string example = ReadFile(ProjectPath("docs/example/quantize_matrix.cc"));
  const std::string project = ReadFile(ProjectPath("docs/example/CMakeLists.txt"));
  EXPECT_NE(document.find("```cpp\n" + example + "```\n"), std::string::npos);
  EXPECT_NE(document.find("```cmake\n" + project + "```\n"), std::string::npos);
  EXPECT_LT(std::ranges::count(example, '\n'), 40);
}

TEST(DocumentationTest, OptionsInItExist) {
  const std::set<std::string> options = AllOptions();
  const std::set<std::string> of_cmake = {"--build", "--install", "--prefix", "--preset"};
  const std::set<std::string> mistyped = {"--modle"};  // in an example
  const std::string scripts = Scripts();
  const std::regex option("--[a-z][a-z0-9-]*");
  for (const std::string& document : testing::DocumentNames()) {
    const std::string text = ReadFile(ProjectPath(document));
    for (std::sregex_iterator i(text.begin(), text.end(), option), end; i != end; ++i) {
      const std::string name = i->str();
      const bool exists = options.contains(name) || of_cmake.contains(name) ||
                          mistyped.contains(name) || scripts.find(name) != std::string::npos;
      EXPECT_TRUE(exists) << document << " names " << name;
    }
  }
}

// A command that document_examples_test.cc cannot run, and what does: a file that has `words`.
struct RunElsewhere {
  const char* document;
  const char* command;
  const char* file;
  const char* words;
};

const std::vector<RunElsewhere> kRunElsewhere = {
    {"README.md", "tools/test.sh", ".ci/run", "step \"Tests\" tools/test.sh\n"},
    // Only by hand, as it takes engines from the network; the document says when it was.
    {"docs/interop.md", "tests/interop/run", "tests/interop/run", "[formats|families]"},
    {"docs/library.md", "cmake --install build/release --prefix PREFIX",
     "tests/install/install_test.cmake", "--install ${build} --prefix"},
    {"docs/library.md", "cmake -S docs/example -B build/example -DCMAKE_PREFIX_PATH=PREFIX",
     "tests/install/install_test.cmake", "-S ${example} -B"},
    {"docs/library.md", "cmake --build build/example", "tests/install/install_test.cmake",
     "--build ${work}/build"},
    {"docs/library.md", "build/example/quantize_matrix", "tests/install/install_test.cmake",
     "run(${work}/build/quantize_matrix)"},
    // That the preset is there, ThePresetsInItExist looks. It is built by the same commands as the
    // other.
    {"docs/release.md", "cmake --preset portable", ".ci/run", "cmake --preset check"},
    {"docs/release.md", "cmake --build --preset portable", ".ci/run",
     "cmake --build --preset check"},
    {"docs/release.md", "ctest --preset portable -L install", "tools/test.sh", "ctest --preset"},
    {"docs/release.md", "cpack --preset portable", "tests/install/package_test.sh",
     "cpack --config"},
    {"docs/release.md", "paroquant completion fish | source", "tests/cli/completion_test.cc",
     "fish | source;"},
};

// Blocks of commands for a shell. Those of the first kinds are run by document_examples_test.cc.
const std::set<std::string> kRunHere = {"console", "sh"};
const std::set<std::string> kShells = {"bash", "fish"};
// Blocks without commands.
const std::set<std::string> kContents = {"cmake", "cpp", "diff", "json", "mermaid", "text"};

// A line without its comment, as it stands in kRunElsewhere.
std::string CommandOf(const std::string& line) {
  const std::string command = line.substr(0, line.find(" #"));
  const size_t end = command.find_last_not_of(' ');
  return command.substr(0, end == std::string::npos ? 0 : end + 1);
}

// Whether a line looks like one to type.
bool IsCommand(const std::string& line) {
  static const std::regex command(
      "\\s*([$#] |sudo |git |ctest |cpack |(cmake|source) -|([^ ]*/)?paroquant [a-z-]|"
      "[^ ]*\\.sh( |$)|(build|tools|tests|bench)/[^ ]*( |$)).*");
  return std::regex_match(line, command);
}

TEST(DocumentationTest, CommandsAreTold) {
  for (const char* line : {"$ ls", "paroquant quantize --model M", "build/release/paroquant verify",
                           "cmake --preset dev", "tools/test.sh", "tests/interop/run formats"}) {
    EXPECT_TRUE(IsCommand(line)) << line;
  }
  for (const char* line : {"cmake_minimum_required(VERSION 3.25)", "+ src/model/x.cc",
                           "quantizing: 41%", "// paroquant quantizes"}) {
    EXPECT_FALSE(IsCommand(line)) << line;
  }
  EXPECT_EQ(CommandOf("tests/interop/run    # or only: formats"), "tests/interop/run");
}

TEST(DocumentationTest, EveryCommandShownIsRunByATest) {
  for (const std::string& document : testing::DocumentNames()) {
    for (const testing::DocumentBlock& block : testing::BlocksIn(ProjectPath(document))) {
      const std::string where = document + ":" + std::to_string(block.line);
      if (kRunHere.contains(block.language)) continue;
      const bool shell = kShells.contains(block.language);
      EXPECT_TRUE(shell || kContents.contains(block.language))
          << where << ": a block of an unknown language, \"" << block.language << "\"";
      for (const std::string& line : block.lines) {
        if (!shell) {
          EXPECT_FALSE(IsCommand(line)) << where << ": no test runs " << line;
          continue;
        }
        const bool listed = std::ranges::any_of(kRunElsewhere, [&](const RunElsewhere& one) {
          return one.document == document && one.command == CommandOf(line);
        });
        EXPECT_TRUE(listed) << where << ": no test runs " << line;
      }
    }
  }
}

TEST(DocumentationTest, WhatIsListedAsRunElsewhereIsShownAndRunThere) {
  for (const RunElsewhere& one : kRunElsewhere) {
    const std::vector<testing::DocumentBlock> blocks = testing::BlocksIn(ProjectPath(one.document));
    const bool shown = std::ranges::any_of(blocks, [&](const testing::DocumentBlock& block) {
      return kShells.contains(block.language) &&
             std::ranges::count(block.lines, one.command, CommandOf) > 0;
    });
    EXPECT_TRUE(shown) << one.document << " no longer shows " << one.command;
    EXPECT_NE(ReadFile(ProjectPath(one.file)).find(one.words), std::string::npos)
        << one.file << " no longer has " << one.words;
  }
}

TEST(DocumentationTest, ThePresetsInItExist) {
  const io::Json presets = io::ReadJsonFile(ProjectPath("CMakePresets.json"));
  const std::regex use("(cmake|cmake --build|ctest|cpack) --preset ([a-z]+)");
  const std::map<std::string, std::string> lists = {{"cmake", "configurePresets"},
                                                    {"cmake --build", "buildPresets"},
                                                    {"ctest", "testPresets"},
                                                    {"cpack", "packagePresets"}};
  int uses = 0;
  for (const std::string& document : testing::DocumentNames()) {
    const std::string text = ReadFile(ProjectPath(document));
    for (std::sregex_iterator i(text.begin(), text.end(), use), end; i != end; ++i) {
      ++uses;
      const bool exists =
          std::ranges::any_of(presets.at(lists.at((*i)[1])),
                              [&](const io::Json& one) { return one.at("name") == (*i)[2].str(); });
      EXPECT_TRUE(exists) << document << ": " << i->str();
    }
  }
  EXPECT_GT(uses, 4);
}

}  // namespace
}  // namespace paroquant
