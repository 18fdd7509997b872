// The fenced blocks of the documents.
#ifndef PAROQUANT_TESTS_CLI_DOCUMENT_BLOCKS_H_
#define PAROQUANT_TESTS_CLI_DOCUMENT_BLOCKS_H_

#include <filesystem>
#include <string>
#include <vector>

namespace paroquant::testing {

struct DocumentBlock {
  int line = 0;          // of the fence above it, from 1
  std::string language;  // what the fence says, "" if nothing
  std::vector<std::string> lines;
};

// A fence may be indented, as in lists. Throws if the last one is not closed.
std::vector<DocumentBlock> BlocksIn(const std::filesystem::path& document);

// README.md and docs/*.md, below the root of the project, in order.
std::vector<std::string> DocumentNames();

}  // namespace paroquant::testing

#endif  // PAROQUANT_TESTS_CLI_DOCUMENT_BLOCKS_H_
