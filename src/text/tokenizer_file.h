// A tokenizer.json, its two large tables apart from the settings.
#ifndef PAROQUANT_TEXT_TOKENIZER_FILE_H_
#define PAROQUANT_TEXT_TOKENIZER_FILE_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "paroquant/io/json.h"

namespace paroquant::text {

struct TokenizerFile {
  struct Token {
    std::string content;
    int64_t id;
  };
  struct Merge {
    std::string left;
    std::string right;
  };

  io::Json settings;          // all but the tables
  std::vector<Token> vocab;   // "model.vocab"
  std::vector<Merge> merges;  // "model.merges": "left right" or ["left", "right"]
};

// Parses the file in one pass without a JSON tree of the tables, which may hold 10 MB. `where`
// names it in errors: kInput if `json` is damaged, kUnsupported if the model is not "BPE".
TokenizerFile ParseTokenizerFile(std::string_view json, const std::string& where);

// The same for a file. Throws kSystem too.
TokenizerFile ReadTokenizerFile(const std::filesystem::path& path);

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_TOKENIZER_FILE_H_
