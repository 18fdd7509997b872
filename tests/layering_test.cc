// Checks the sources against the table of modules in docs/architecture.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "tests/testing/paths.h"

namespace paroquant {
namespace {

namespace fs = std::filesystem;
using testing::ProjectPath;

std::vector<std::string> LinesOf(const fs::path& file) {
  std::ifstream stream(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Module to rank, as the architecture document has it.
std::map<std::string, int> ReadModuleTable() {
  const std::regex row(R"(\| (\d+) \| ([a-z/-]+) \| .*\. \|)");
  std::map<std::string, int> ranks;
  for (const std::string& line : LinesOf(ProjectPath("docs/architecture.md"))) {
    std::smatch match;
    if (!std::regex_match(line, match, row)) continue;
    EXPECT_TRUE(ranks.emplace(match[2], std::stoi(match[1])).second) << line;
  }
  return ranks;
}

// The C++ files below a folder of the repository, relative to the root.
std::vector<fs::path> SourcesBelow(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(ProjectPath(folder))) {
    const fs::path extension = entry.path().extension();
    if (extension == ".h" || extension == ".cc")
      files.push_back(fs::relative(entry.path(), ProjectPath("")));
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<fs::path> LibrarySources() {
  std::vector<fs::path> files = SourcesBelow("include/paroquant");
  std::ranges::copy(SourcesBelow("src"), std::back_inserter(files));
  return files;
}

bool IsPublic(const fs::path& file) { return *file.begin() == "include"; }

// include/paroquant/io/json.h and src/io/json.cc are both of module io.
std::string ModuleOf(const fs::path& file) {
  return *std::next(file.begin(), IsPublic(file) ? 2 : 1);
}

struct Include {
  std::string line;     // as written, for messages
  std::string target;   // between the quotes or brackets
  bool quoted = false;  // a header of ours
};

std::vector<Include> IncludesOf(const fs::path& file) {
  const std::regex pattern(R"(\s*#\s*include\s*([<"])([^>"]+)[>"].*)");
  std::vector<Include> includes;
  for (const std::string& line : LinesOf(ProjectPath(file))) {
    std::smatch match;
    if (std::regex_match(line, match, pattern)) {
      includes.push_back({line, match[2], match[1] == "\""});
    }
  }
  return includes;
}

// The file of the repository that an include of the library names.
std::optional<fs::path> Resolve(const Include& include) {
  for (const char* root : {"include", "src"}) {
    const fs::path file = fs::path(root) / include.target;
    if (fs::exists(ProjectPath(file))) return file;
  }
  return std::nullopt;
}

// The macro that guards a header: PAROQUANT_IO_JSON_H_ for io/json.h in either tree.
std::string GuardOf(const fs::path& file) {
  std::string guard = "PAROQUANT_" + ModuleOf(file);
  for (auto part = std::next(file.begin(), IsPublic(file) ? 3 : 2); part != file.end(); ++part) {
    guard += "_" + part->string();
  }
  std::ranges::transform(guard, guard.begin(), [](unsigned char c) {
    return std::isalnum(c) != 0 ? static_cast<char>(std::toupper(c)) : '_';
  });
  return guard + "_";
}

TEST(LayeringTest, EveryModuleOnDiskHasARow) {
  const auto ranks = ReadModuleTable();
  for (const char* parent : {"include/paroquant", "src"}) {
    for (const auto& entry : fs::directory_iterator(ProjectPath(parent))) {
      if (!entry.is_directory()) continue;
      EXPECT_TRUE(ranks.contains(entry.path().filename())) << entry.path();
    }
  }
  for (const auto& entry : fs::directory_iterator(ProjectPath("tools"))) {
    if (!entry.is_directory()) continue;
    EXPECT_TRUE(ranks.contains("tools/" + entry.path().filename().string())) << entry.path();
  }
}

TEST(LayeringTest, IncludesGoToTheSameModuleOrALowerRank) {
  const auto ranks = ReadModuleTable();
  int checked = 0;
  for (const fs::path& file : LibrarySources()) {
    const std::string module = ModuleOf(file);
    for (const Include& include : IncludesOf(file)) {
      if (!include.quoted) continue;
      const std::optional<fs::path> target = Resolve(include);
      ASSERT_TRUE(target.has_value()) << file << ": " << include.line << " names no file";
      const std::string other = ModuleOf(*target);
      EXPECT_TRUE(other == module || ranks.at(other) < ranks.at(module))
          << file << ": " << include.line;
      EXPECT_TRUE(IsPublic(*target) || !IsPublic(file))
          << file << ": " << include.line << " in a public header names a private one";
      ++checked;
    }
  }
  EXPECT_GT(checked, 0);
}

TEST(LayeringTest, OnlyTheMatrixHeaderNamesEigen) {
  std::vector<fs::path> files = LibrarySources();
  for (const char* folder : {"tests", "tools"}) {
    std::ranges::copy(SourcesBelow(folder), std::back_inserter(files));
  }
  for (const fs::path& file : files) {
    if (file == "include/paroquant/base/matrix.h") continue;
    for (const Include& include : IncludesOf(file)) {
      EXPECT_FALSE(include.target.starts_with("Eigen/")) << file << ": " << include.line;
    }
  }
}

TEST(LayeringTest, HeadersAreGuardedByTheirPath) {
  for (const fs::path& file : LibrarySources()) {
    if (file.extension() != ".h") continue;
    const std::vector<std::string> lines = LinesOf(ProjectPath(file));
    const auto guard = std::ranges::find(lines, "#ifndef " + GuardOf(file));
    ASSERT_NE(guard, lines.end()) << file << " has no #ifndef " << GuardOf(file);
    ASSERT_NE(std::next(guard), lines.end()) << file;
    EXPECT_EQ(*std::next(guard), "#define " + GuardOf(file)) << file;
  }
}

TEST(LayeringTest, PreprocessorConditionsStayInKernels) {
  const std::regex condition(R"(\s*#\s*(if|el|ifdef|ifndef).*)");
  for (const fs::path& file : LibrarySources()) {
    if (ModuleOf(file) == "kernels") continue;
    for (const std::string& line : LinesOf(ProjectPath(file))) {
      const bool is_guard = file.extension() == ".h" && line == "#ifndef " + GuardOf(file);
      EXPECT_TRUE(is_guard || !std::regex_match(line, condition)) << file << ": " << line;
    }
  }
}

// The text between the parenthesis at `open` and the one that closes it.
std::string ArgumentsAt(const std::string& text, size_t open) {
  int depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')' && --depth == 0) return text.substr(open + 1, i - open - 1);
  }
  return "";
}

// A fault of the system would come as std::filesystem_error, without the parts of an Error.
TEST(LayeringTest, FileSystemCallsReturnTheirErrors) {
  const std::regex call(R"(\b(fs|filesystem)::([a-z_]+)\()");
  const std::regex returns_error(R"(\b(error|ignored|status)$)");
  std::vector<fs::path> files = LibrarySources();
  std::ranges::copy(SourcesBelow("tools"), std::back_inserter(files));
  int checked = 0;
  for (const fs::path& file : files) {
    std::string text;
    for (const std::string& line : LinesOf(ProjectPath(file))) text += line + "\n";
    for (std::sregex_iterator found(text.begin(), text.end(), call), end; found != end; ++found) {
      if (found->str(2) == "path" || found->str(2) == "status_known") continue;
      const auto open = static_cast<size_t>(found->position() + found->length() - 1);
      EXPECT_TRUE(std::regex_search(ArgumentsAt(text, open), returns_error))
          << file << ": " << found->str() << "...) may throw; base/folder.h has what does not";
      ++checked;
    }
    EXPECT_TRUE(file == "src/base/folder.cc" || text.find("directory_iterator") == text.npos)
        << file << " reads a folder; FolderEntries does";
  }
  EXPECT_GT(checked, 0);
}

}  // namespace
}  // namespace paroquant
