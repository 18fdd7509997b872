#include "tests/cli/document_blocks.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "tests/testing/paths.h"

namespace paroquant::testing {

namespace fs = std::filesystem;

std::vector<DocumentBlock> BlocksIn(const fs::path& document) {
  std::vector<DocumentBlock> blocks;
  std::ifstream file(document);
  bool open = false;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    const size_t start = line.find_first_not_of(' ');
    if (start != std::string::npos && line.compare(start, 3, "```") == 0) {
      if (!open) blocks.push_back({number, line.substr(start + 3), {}});
      open = !open;
    } else if (open) {
      blocks.back().lines.push_back(line);
    }
  }
  if (open) throw std::runtime_error(document.string() + " ends within a block");
  return blocks;
}

std::vector<std::string> DocumentNames() {
  std::vector<std::string> names = {"README.md"};
  for (const auto& entry : fs::directory_iterator(ProjectPath("docs"))) {
    if (entry.path().extension() != ".md") continue;
    names.push_back("docs/" + entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace paroquant::testing
