// From what a user names as evaluation data to windows of token ids.
#ifndef PAROQUANT_EVAL_EVALUATION_TEXT_H_
#define PAROQUANT_EVAL_EVALUATION_TEXT_H_

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "paroquant/eval/perplexity.h"

namespace paroquant::eval {

enum class Protocol {
  kPaper,     // the text tokenized once, windows side by side, all tokens but the first scored
  kLlamaCpp,  // BOS at each window's start, the second half of a window scored
  kPaperC4,   // random crops of documents that are longer than a window
};
// "paper", "llama.cpp", "paper-c4".
const char* ProtocolName(Protocol protocol);
// The inverse; throws kUsage naming the protocols.
Protocol ProtocolFromName(const std::string& name);

enum class BosUse { kAuto, kAlways, kNever };  // kAuto: as the protocol has it

struct EvaluationTextOptions {
  Protocol protocol = Protocol::kPaper;
  int64_t window = 2048;    // as asked for
  int64_t stride = 0;       // 0: window
  int64_t max_windows = 0;  // 0: all (C4: 256)
  BosUse bos = BosUse::kAuto;
  // The model's.
  int64_t max_positions = std::numeric_limits<int64_t>::max();
  int64_t vocab_size = std::numeric_limits<int64_t>::max();
  std::optional<int32_t> bos_token_id;
  std::filesystem::path tokenizer_json;
  std::filesystem::path data_dir;  // where "wikitext2" and "c4" are looked for
  uint64_t seed = 0;               // of the random crops
};

// The windows of `data`: a known name ("wikitext2", "c4"), a text file, or a .json of token ids,
// for which no tokenizer is needed. Throws kInput for data that is missing, damaged or too short
// and for ids outside the vocabulary, kUsage for ids under paper-c4, which needs documents.
std::vector<Window> LoadWindows(const std::string& data, const EvaluationTextOptions& options);

}  // namespace paroquant::eval

#endif  // PAROQUANT_EVAL_EVALUATION_TEXT_H_
