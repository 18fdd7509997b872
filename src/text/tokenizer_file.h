// A tokenizer.json, its two large tables apart from the settings.
#ifndef PAROQUANT_TEXT_TOKENIZER_FILE_H_
#define PAROQUANT_TEXT_TOKENIZER_FILE_H_

#include <filesystem>
#include <nlohmann/json.hpp>

#include "paroquant/io/json.h"

namespace paroquant::text {

struct TokenizerFile {
  io::Json settings;      // all the rest
  nlohmann::json vocab;   // "model.vocab", an object
  nlohmann::json merges;  // "model.merges", an array
};

// Throws kSystem; kInput if the file is no such JSON; kUnsupported if its model is not "BPE".
TokenizerFile ReadTokenizerFile(const std::filesystem::path& path);

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_TOKENIZER_FILE_H_
