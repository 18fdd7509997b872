// Text to evaluate and calibrate with: documents out of files, and sequences of ids out of those.
#ifndef PAROQUANT_TEXT_DATASET_H_
#define PAROQUANT_TEXT_DATASET_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/text/tokenizer.h"

namespace paroquant::text {

// The documents of a file, in order, by its name:
//   .txt, .raw  one document, the whole file
//   .jsonl      a JSON object a line, its key "text" the document
//   .json       an array of such objects, a single one, or one a line
// each also with .gz behind. All are valid UTF-8. Throws kSystem; kUnsupported for another name and
// for objects with "messages" in place of "text"; kInput, with file and line, for all that is no
// text, and if there is none.
std::vector<std::string> ReadDocuments(const std::filesystem::path& path);

// A text file of any name, taken whole. Throws kSystem; kInput if it is no text in UTF-8.
std::string ReadText(const std::filesystem::path& path);

// The document of each line of a file of any name, whose lines are JSON objects as in .jsonl.
// Documents may be empty; a blank line is an error, so that line i of the file is document i.
// Throws as ReadDocuments.
std::vector<std::string> ReadDocumentLines(const std::filesystem::path& path);

// Throws kInput, with `where` and the line, unless all of `content` is text in UTF-8.
void RequireText(const std::string& content, const std::string& where);

// True if the file holds token ids: a .json object with the key "input_ids". Throws kSystem.
bool HoldsTokenIds(const std::filesystem::path& path);

// The ids of {"input_ids": [...]}. Throws kSystem; kInput unless they are integers in [0, 2^31).
std::vector<int32_t> ReadTokenIds(const std::filesystem::path& path);

// The file that a dataset's name stands for: "wikitext2" and "c4", looked up in `data_dir` (which
// may be empty), or else the path of a file. Throws kInput, saying where it has looked.
std::filesystem::path FindDataset(const std::string& name, const std::filesystem::path& data_dir);

// Writes out a conversation, a JSON object with a key "messages", as the text that a model takes it
// as, with all special tokens.
using ConversationWriter = std::function<std::string(const io::JsonObject& conversation)>;

struct Document {
  std::string text;
  bool is_conversation = false;  // whether its text has all special tokens that it needs
};

// As ReadDocuments, but objects may have "messages" in place of "text", which `write` turns into
// text.
std::vector<Document> ReadConversations(const std::filesystem::path& path,
                                        const ConversationWriter& write);

struct CalibrationOptions {
  int64_t sequences = 128;                       // > 0, all in all
  int64_t held_out = 0;                          // of them, to be told apart in errors
  int64_t length = 2048;                         // ids per sequence, > 0
  uint64_t seed = 0;                             // of both shuffles
  std::optional<int32_t> bos_id = std::nullopt;  // put before each document but conversations
  ConversationWriter write_conversation = {};    // without it they are refused
};

// Calibration data, [sequences][length] ids: the documents of each file in random order, long ones
// cut after some 20,000 bytes, encoded one after the other and cut into sequences. A file that is
// a single document is taken as many of that size instead. Each file gives an equal share, and the
// sequences are shuffled at the end. The same arguments give the same ids on every machine.
// Throws what ReadDocuments throws, and kInput if a file has too little text for its share.
std::vector<std::vector<int32_t>> CalibrationSequences(
    const Tokenizer& tokenizer, const std::vector<std::filesystem::path>& files,
    const CalibrationOptions& options);

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_DATASET_H_
