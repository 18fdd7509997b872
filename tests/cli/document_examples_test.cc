// The examples in the documentation. They run in a folder that holds the small model as
// `tiny-llama` and what the README names in capitals. Each command of a block "```sh" succeeds;
// each of a block "```console" prints what the block shows under it, where "..." stands for any
// text.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "paroquant/base/file.h"
#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using testing::CliResult;
using testing::DataPath;
using testing::RunCliInScript;
using testing::TemporaryFolder;

const fs::path kRoot = fs::path(PAROQUANT_TEST_ROOT).parent_path();

struct Example {
  int line = 0;
  bool shows_output = false;
  std::string command;
  std::string output;
};

// The commands of a document, in order. A command goes on after a backslash at a line's end.
std::vector<Example> ExamplesIn(const fs::path& document) {
  std::vector<Example> examples;
  std::ifstream file(document);
  std::string fence;
  bool in_command = false;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    const bool console = fence == "```console";
    if (line.starts_with("```")) {
      fence = fence.empty() ? line : "";
    } else if (in_command) {
      examples.back().command += line + "\n";
      in_command = line.ends_with("\\");
    } else if (fence == "```sh" || (console && line.starts_with("$ "))) {
      examples.push_back({number, console, line.substr(console ? 2 : 0) + "\n", ""});
      in_command = line.ends_with("\\");
    } else if (console && !examples.empty()) {
      examples.back().output += line + "\n";
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

// A folder as the reader of the documentation has it, with the program in the path.
class Workplace {
 public:
  Workplace() {
    const fs::path model = DataPath("tiny-llama");
    Link(model, "tiny-llama");
    Link(model / "sample_calibration.txt", "TEXT.txt");
    Link(model / "sample_evaluation.txt", "DATA/wiki.test.raw");
    Link(fs::path(PAROQUANT_PROGRAM).parent_path(), "build/release");
    // The defaults ask for sequences as long as a model allows. Here they are to be short.
    const fs::path own_model = folder_.path() / "MODEL";
    fs::copy(model, own_model);
    io::Json config = io::ReadJsonFile(model / "config.json");
    config["max_position_embeddings"] = 128;
    std::ofstream(own_model / "config.json") << config;
    // In the place of a browser: takes a page that is whole.
    const fs::path viewer = folder_.path() / "xdg-open";
    std::ofstream(viewer) << "#!/bin/bash\ngrep -q '</html>' \"$1\"\n";
    fs::permissions(viewer, fs::perms::owner_all);
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

// Before them come `git clone` and tools/quickstart.sh.
TEST(DocumentExamplesTest, FromNothingToAReportItIsFiveCommands) {
  const std::vector<Example> examples = ExamplesIn(kRoot / "README.md");
  ASSERT_EQ(examples.size(), 3U);
  EXPECT_NE(examples[0].command.find(" quantize "), std::string::npos);
  EXPECT_NE(examples[1].command.find(" eval-ppl "), std::string::npos);
  EXPECT_TRUE(examples[2].command.starts_with("xdg-open "));
}

// README.md and the documents that have examples.
std::vector<std::string> Documents() {
  std::vector<std::string> documents = {"README.md"};
  for (const auto& entry : fs::directory_iterator(kRoot / "docs")) {
    if (entry.path().extension() != ".md" || ExamplesIn(entry.path()).empty()) continue;
    documents.push_back("docs/" + entry.path().filename().string());
  }
  std::sort(documents.begin(), documents.end());
  return documents;
}

class DocumentTest : public ::testing::TestWithParam<std::string> {};

TEST_P(DocumentTest, ExamplesDoWhatIsShown) {
  const Workplace workplace;
  const std::vector<Example> examples = ExamplesIn(kRoot / GetParam());
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

INSTANTIATE_TEST_SUITE_P(, DocumentTest, ::testing::ValuesIn(Documents()),
                         [](const auto& document) {
                           return fs::path(document.param).stem().string();
                         });

TEST(DocumentExamplesTest, EveryErrorSaysWhereExpectedFoundAndWhatToDo) {
  int errors = 0;
  for (const Example& example : ExamplesIn(kRoot / "docs/errors.md")) {
    if (example.output.empty()) continue;  // it prepares the next one
    ++errors;
    EXPECT_TRUE(testing::HasFourParts(example.output)) << "line " << example.line;
  }
  EXPECT_GT(errors, 20);
}

}  // namespace
}  // namespace paroquant
