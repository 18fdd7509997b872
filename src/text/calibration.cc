#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <string_view>

#include "paroquant/base/error.h"
#include "paroquant/base/quantity_text.h"
#include "paroquant/base/rng.h"
#include "paroquant/base/utf8.h"
#include "paroquant/text/dataset.h"

namespace paroquant::text {
namespace {

// Some 5,000 tokens: enough to fill a usual sequence, too little for one document to fill many.
constexpr size_t kMaxDocumentBytes = 20000;

using Sequences = std::vector<std::vector<int32_t>>;

// How much of `text` to take as one document: all if it is short, else up to the end of a line in
// the second half of what is allowed, else to the end of a character.
size_t DocumentLength(std::string_view text) {
  if (text.size() <= kMaxDocumentBytes) return text.size();
  const size_t line_end = text.rfind('\n', kMaxDocumentBytes - 1);
  if (line_end != std::string_view::npos && line_end >= kMaxDocumentBytes / 2) return line_end + 1;
  size_t length = kMaxDocumentBytes;
  while (IsUtf8Continuation(text[length])) --length;
  return length;
}

// A document, or a part of one, in its place.
struct Passage {
  std::string_view text;
  bool begins_with_bos = false;
};

std::vector<Passage> CutDocuments(const std::vector<Document>& documents) {
  std::vector<Passage> cut;
  if (documents.size() > 1) {
    for (const auto& [text, is_conversation] : documents) {
      cut.push_back({std::string_view(text).substr(0, DocumentLength(text)), !is_conversation});
    }
    return cut;
  }
  const auto& [text, is_conversation] = documents.front();
  for (std::string_view rest = text; !rest.empty();) {
    cut.push_back({rest.substr(0, DocumentLength(rest)), !is_conversation});
    rest.remove_prefix(cut.back().text.size());
  }
  return cut;
}

// What `count` sequences are for, in the message that there is too little text for them.
std::string Purpose(int64_t count, const CalibrationOptions& options) {
  const std::string sequences = fmt::format("{} of {}", Counted(count, "sequence"), options.length);
  if (options.held_out == 0) return sequences;
  return fmt::format("{} ({}{} to calibrate and {} held out)", sequences,
                     count < options.sequences ? "its share of " : "",
                     options.sequences - options.held_out, options.held_out);
}

// What to do where a file holds but `found` tokens and each of `files` has to give its share.
std::string WhatWouldFit(int64_t found, int64_t files, const CalibrationOptions& options) {
  const int64_t fitting = found / options.length * files - options.held_out;
  if (fitting < 1) return "Give more text, or ask for fewer or shorter sequences.";
  return fmt::format(
      "Give more text, or ask for fewer sequences: it is enough for "
      "--calib-sequences {}.",
      fitting);
}

// Appends `count` sequences out of one of `files`.
void AppendSequences(const Tokenizer& tokenizer, const std::filesystem::path& file, int64_t files,
                     int64_t count, const CalibrationOptions& options, Rng& rng,
                     Sequences& sequences) {
  const std::vector<Document> documents = ReadConversations(file, options.write_conversation);
  std::vector<Passage> shuffled = CutDocuments(documents);
  rng.Shuffle(shuffled);
  const int64_t needed = count * options.length;
  std::vector<int32_t> ids;
  for (const auto& [text, begins_with_bos] : shuffled) {
    if (std::ssize(ids) >= needed) break;
    if (begins_with_bos && options.bos_id.has_value()) ids.push_back(*options.bos_id);
    const std::vector<int32_t> encoded = tokenizer.Encode(text, /*add_special_tokens=*/false);
    ids.insert(ids.end(), encoded.begin(), encoded.end());
  }
  if (std::ssize(ids) < needed) {
    throw Error(ErrorKind::kInput,
                {.where = file.string(),
                 .expected = fmt::format("{} tokens for {}", needed, Purpose(count, options)),
                 .found = fmt::format("{}", ids.size()),
                 .hint = WhatWouldFit(std::ssize(ids), files, options)});
  }
  for (auto begin = ids.begin(); count > 0; --count, begin += options.length) {
    sequences.emplace_back(begin, begin + options.length);
  }
}

}  // namespace

Sequences CalibrationSequences(const Tokenizer& tokenizer,
                               const std::vector<std::filesystem::path>& files,
                               const CalibrationOptions& options) {
  assert(!files.empty() && options.sequences > 0 && options.length > 0);
  Rng rng(options.seed);
  Sequences sequences;
  const int64_t file_count = std::ssize(files);
  for (int64_t i = 0; i < file_count; ++i) {
    const bool takes_one_of_the_rest = i < options.sequences % file_count;
    const int64_t share = options.sequences / file_count + (takes_one_of_the_rest ? 1 : 0);
    if (share > 0) AppendSequences(tokenizer, files[i], file_count, share, options, rng, sequences);
  }
  rng.Shuffle(sequences);
  return sequences;
}

}  // namespace paroquant::text
