// The examples in the documentation. They run in a folder that holds the small model as
// `tiny-llama` and what the README names in capitals. Each command of a block "```sh" succeeds;
// each of a block "```console" prints what the block shows under it, where "..." stands for any
// text.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "paroquant/base/file.h"
#include "tests/cli/cli_process.h"
#include "tests/cli/document_blocks.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using testing::CliResult;
using testing::DataPath;
using testing::ProjectPath;
using testing::RunCliInScript;
using testing::TemporaryFolder;

struct Example {
  int line = 0;
  bool shows_output = false;
  std::string command;
  std::string output;
};

// The commands of a document, in order. A command goes on after a backslash at a line's end.
std::vector<Example> ExamplesIn(const fs::path& document) {
  std::vector<Example> examples;
  for (const testing::DocumentBlock& block : testing::BlocksIn(document)) {
    const bool console = block.language == "console";
    if (!console && block.language != "sh") continue;
    bool in_command = false;
    int number = block.line;
    for (const std::string& line : block.lines) {
      ++number;
      if (in_command) {
        examples.back().command += line + "\n";
        in_command = line.ends_with("\\");
      } else if (!console || line.starts_with("$ ")) {
        examples.push_back({number, console, line.substr(console ? 2 : 0) + "\n", ""});
        in_command = line.ends_with("\\");
      } else if (!examples.empty()) {
        examples.back().output += line + "\n";
      }
    }
  }
  return examples;
}

// Whether `text` is `pattern`, in which "..." stands for any text.
bool Matches(const std::string& pattern, const std::string& text) {
  static const std::string kAny = "...";
  const size_t any = pattern.find(kAny);
  if (any == std::string::npos) return text == pattern;
  if (!text.starts_with(pattern.substr(0, any))) return false;
  // The shortest text for each "..." but the last leaves most to those behind it.
  size_t at = any;
  size_t next = any + kAny.size();
  while (true) {
    const size_t end = pattern.find(kAny, next);
    const std::string part = pattern.substr(next, end - next);
    if (end == std::string::npos) return text.size() >= at + part.size() && text.ends_with(part);
    const size_t found = text.find(part, at);
    if (found == std::string::npos) return false;
    at = found + part.size();
    next = end + kAny.size();
  }
}

// What the reader finds in a folder of a path: the programs that are not to run here.
constexpr const char* kGit = R"(#!/bin/bash
# The clone is there already: a commit may be tested whose clone lacks what is tested.
[[ $# == 3 && $1 == clone && $2 == URL && -x $3/tools/quickstart.sh ]]
)";
constexpr const char* kCmake = R"(#!/bin/bash
# The build is there already. Presets are checked where the documents' blocks are.
[[ $1 == --preset && $2 == release || $1 == --build && $3 == release ]]
)";
constexpr const char* kNothingToInstall = "#!/bin/bash\n";

// A folder as the reader of the documentation has it, with the program in the path. It is a clone's
// root as well as the place beside a clone, `paroquant`.
class Workplace {
 public:
  Workplace() {
    const fs::path model = DataPath("tiny-llama");
    Link(model, "tiny-llama");
    Link(model, "tests/data/tiny-llama");
    Link(model / "sample_calibration.txt", "TEXT.txt");
    ShortText("OTHER.txt");
    Link(fs::path(PAROQUANT_PROGRAM).parent_path(), "build/release");
    CopyModel("MODEL");
    Clone("paroquant");
    Script("git", kGit);
    Script("cmake", kCmake);
  }

  // What the command prints comes as on a terminal, errors included.
  CliResult Run(const std::string& command) const {
    return RunCliInScript("cd \"$2\" && PATH=\"${1%/*}:$PWD:$PATH\" && exec 2>&1 && eval \"$3\"",
                          {folder_.path().string(), command});
  }

 private:
  void Link(const fs::path& target, const fs::path& name) const {
    fs::create_directories((folder_.path() / name).parent_path());
    fs::create_symlink(target, folder_.path() / name);
  }

  void Script(const fs::path& name, const std::string& text) const {
    const fs::path path = folder_.path() / name;
    std::ofstream(path) << text;
    fs::permissions(path, fs::perms::owner_all);
  }

  // The defaults ask for sequences as long as a model allows. Here they are to be short.
  void CopyModel(const fs::path& name) const {
    const fs::path model = DataPath("tiny-llama");
    fs::create_directories((folder_.path() / name).parent_path());
    fs::copy(model, folder_.path() / name);
    io::Json config = io::ReadJsonFile(model / "config.json");
    config["max_position_embeddings"] = 128;
    std::ofstream(folder_.path() / name / "config.json") << config;
  }

  // The beginning of the text for evaluations: some dozens of windows are enough here.
  void ShortText(const fs::path& name) const {
    const std::string text = ReadFile(DataPath("tiny-llama/sample_evaluation.txt"));
    std::ofstream(folder_.path() / name) << text.substr(0, text.find('\n', 20000) + 1);
  }

  // What tools/quickstart.sh needs of a clone that is built.
  void Clone(const fs::path& name) const {
    CopyModel(name / "tests/data/tiny-llama");
    ShortText(name / "tests/data/tiny-llama/sample_evaluation.txt");
    for (const char* script : {"tools/quickstart.sh", "tools/figures.sh"}) {
      Link(ProjectPath(script), name / script);
    }
    Script(name / "tools/install-dependencies.sh", kNothingToInstall);
    Link(fs::path(PAROQUANT_PROGRAM).parent_path(), name / "build/release");
  }

  TemporaryFolder folder_;
};

TEST(DocumentExamplesTest, DotsStandForAnyText) {
  EXPECT_TRUE(Matches("a ... c\n", "a b c\n"));
  EXPECT_TRUE(Matches("... b ... d", "a b c b d"));
  EXPECT_TRUE(Matches("a...", "a"));
  EXPECT_FALSE(Matches("a", "ab"));
  EXPECT_FALSE(Matches("a ... c", "a b"));
  EXPECT_FALSE(Matches("ab...bc", "abc"));
  EXPECT_FALSE(Matches("a ... b ... c", "a b c"));
}

// All of them: none is several in one, and none relies on the reader to change the folder. That
// they need no other file than they say shows where they run, in DocumentTest.
TEST(DocumentExamplesTest, FromNothingToAReportItIsFiveCommands) {
  const std::vector<std::string> expected = {
      "git clone URL paroquant", "paroquant/tools/quickstart.sh",
      "paroquant/build/release/paroquant quantize", "paroquant/build/release/paroquant eval-ppl"};
  const std::vector<Example> examples = ExamplesIn(ProjectPath("README.md"));
  // The fifth is to open the page that the third has made, in any browser.
  ASSERT_EQ(examples.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_TRUE(examples[i].command.starts_with(expected[i])) << examples[i].command;
    EXPECT_EQ(examples[i].command.find_first_of(";&|"), std::string::npos) << examples[i].command;
  }
  const std::string readme = ReadFile(ProjectPath("README.md"));
  EXPECT_NE(examples[2].command.find(" --report MODEL-4bit.html\n"), std::string::npos);
  EXPECT_NE(readme.find("open `MODEL-4bit.html` in a browser"), std::string::npos);
  EXPECT_NE(readme.find("`URL` is "), std::string::npos);
  for (const char* gone : {"xdg-open", "--data-dir DATA\n"}) {
    EXPECT_EQ(readme.find(gone), std::string::npos) << gone;
  }
}

// Of the manual page of a command, or of the program ("").
std::vector<std::string> ExamplesOfManual(const std::string& command) {
  std::vector<std::string> words = {"man"};
  if (!command.empty()) words.push_back(command);
  std::istringstream page(RunCliInScript("\"$@\" | sed 's/\\\\-/-/g; s/\\\\e/\\\\/g'", words).out);
  std::vector<std::string> examples;
  bool in_example = false;
  for (std::string line; std::getline(page, line);) {
    if (line == ".nf") examples.emplace_back();
    if (line == ".nf" || line == ".fi") {
      in_example = line == ".nf";
    } else if (in_example) {
      examples.back() += line + "\n";
    }
  }
  return examples;
}

// In a folder of its own the program's, a walk through them; in another those of the commands, of
// which quantize, the first, makes what others take.
TEST(DocumentExamplesTest, ExamplesOfTheManualWork) {
  const Workplace walk;
  const Workplace workplace;
  std::vector<std::string> commands = testing::CommandNames();
  commands.insert(commands.begin(), "");
  for (const std::string& command : commands) {
    const std::vector<std::string> examples = ExamplesOfManual(command);
    EXPECT_FALSE(examples.empty()) << command;
    for (const std::string& example : examples) {
      const CliResult result = (command.empty() ? walk : workplace).Run(example);
      EXPECT_EQ(result.exit_code, 0) << example << result.out;
    }
  }
}

std::vector<std::string> DocumentsWithExamples() {
  std::vector<std::string> documents = testing::DocumentNames();
  std::erase_if(documents,
                [](const std::string& name) { return ExamplesIn(ProjectPath(name)).empty(); });
  return documents;
}

class DocumentTest : public ::testing::TestWithParam<std::string> {};

TEST_P(DocumentTest, ExamplesDoWhatIsShown) {
  const Workplace workplace;
  const std::vector<Example> examples = ExamplesIn(ProjectPath(GetParam()));
  EXPECT_FALSE(examples.empty());
  for (const Example& example : examples) {
    const CliResult result = workplace.Run(example.command);
    const bool holds =
        example.shows_output ? Matches(example.output, result.out) : result.exit_code == 0;
    EXPECT_TRUE(holds) << GetParam() << ":" << example.line << ": " << example.command << "shown:\n"
                       << example.output << "printed:\n"
                       << result.out;
  }
}

INSTANTIATE_TEST_SUITE_P(, DocumentTest, ::testing::ValuesIn(DocumentsWithExamples()),
                         [](const auto& document) {
                           return fs::path(document.param).stem().string();
                         });

TEST(DocumentExamplesTest, EveryErrorSaysWhereExpectedFoundAndWhatToDo) {
  int errors = 0;
  for (const Example& example : ExamplesIn(ProjectPath("docs/errors.md"))) {
    if (example.output.empty()) continue;  // it prepares the next one
    ++errors;
    EXPECT_TRUE(testing::HasFourParts(example.output)) << "line " << example.line;
  }
  EXPECT_GT(errors, 20);
}

}  // namespace
}  // namespace paroquant
