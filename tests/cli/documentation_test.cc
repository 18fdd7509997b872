// The documents name options that there are.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>

#include "paroquant/base/file.h"
#include "tests/cli/cli_process.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = fs::path(PAROQUANT_TEST_ROOT).parent_path();

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
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
      const std::string ending = entry.path().extension().string();
      const bool script = ending == ".sh" || ending == ".py" || entry.path().filename() == "run";
      if (script && entry.is_regular_file()) text += ReadFile(entry.path());
    }
  }
  return text;
}

TEST(DocumentationTest, TheExampleOfTheLibraryIsTheOneThatIsTested) {
  const std::string document = ReadFile(kRoot / "docs" / "library.md");
  const std::string example = ReadFile(kRoot / "docs/example/quantize_matrix.cc");
  const std::string project = ReadFile(kRoot / "docs/example/CMakeLists.txt");
  EXPECT_NE(document.find("```cpp\n" + example + "```\n"), std::string::npos);
  EXPECT_NE(document.find("```cmake\n" + project + "```\n"), std::string::npos);
  EXPECT_LT(std::ranges::count(example, '\n'), 40);
}

TEST(DocumentationTest, OptionsInItExist) {
  const std::set<std::string> options = AllOptions();
  const std::set<std::string> of_cmake = {"--build", "--install", "--prefix", "--preset"};
  const std::set<std::string> mistyped = {"--modle"};  // in an example
  const std::string scripts = Scripts();
  std::vector<fs::path> documents = {kRoot / "README.md"};
  for (const auto& entry : fs::directory_iterator(kRoot / "docs")) {
    if (entry.path().extension() == ".md") documents.push_back(entry.path());
  }
  const std::regex option("--[a-z][a-z0-9-]*");
  for (const fs::path& document : documents) {
    const std::string text = ReadFile(document);
    for (std::sregex_iterator i(text.begin(), text.end(), option), end; i != end; ++i) {
      const std::string name = i->str();
      const bool exists = options.contains(name) || of_cmake.contains(name) ||
                          mistyped.contains(name) || scripts.find(name) != std::string::npos;
      EXPECT_TRUE(exists) << document << " names " << name;
    }
  }
}

}  // namespace
}  // namespace paroquant
