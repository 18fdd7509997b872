// Byte-pair encoding: a word starts as its characters; of all neighbours that have a merge, those
// of the lowest rank are joined (the leftmost first), until none is left.
#ifndef PAROQUANT_TEXT_BPE_MODEL_H_
#define PAROQUANT_TEXT_BPE_MODEL_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "paroquant/io/json.h"
#include "text/pair_table.h"
#include "text/tokenizer_file.h"
#include "text/vocabulary.h"

namespace paroquant::text {

class BpeModel {
 public:
  // One thread's memory between pieces: the words it has met, and the word at work.
  struct Workspace {
    static constexpr int32_t kNoPosition = -1;  // beyond the first and the last symbol
    struct Symbol {
      int32_t id;
      int32_t previous = kNoPosition;  // positions of the neighbours
      int32_t next = kNoPosition;
      int32_t rank = PairTable::kAbsent;  // of the merge with the next, if there is one
    };
    std::vector<Symbol> symbols;
    std::vector<uint64_t> candidates;  // a heap of rank << 32 | position, lowest first
    StringMap<std::vector<int32_t>> words;
  };

  // `settings` is a tokenizer file's "model"; `merges` come in the order of their ranks;
  // `vocabulary` must outlive this. Throws kInput, kUnsupported.
  BpeModel(const io::JsonObject& settings, const std::vector<TokenizerFile::Merge>& merges,
           const Vocabulary& vocabulary);

  // Appends the ids of `piece`, valid UTF-8. Takes O(n log n) steps.
  void Encode(std::string_view piece, Workspace& workspace, std::vector<int32_t>& ids) const;

 private:
  using ByteTokens = std::array<std::optional<int32_t>, 256>;

  void LoadMerges(const std::vector<TokenizerFile::Merge>& merges, const std::string& where);
  void EncodeWord(std::string_view word, Workspace& workspace, std::vector<int32_t>& ids) const;
  void Segment(std::string_view word, Workspace& workspace) const;
  bool AppendByteTokens(std::string_view character, Workspace& workspace) const;
  void Merge(Workspace& workspace) const;
  void Propose(int32_t position, Workspace& workspace) const;

  const Vocabulary& vocabulary_;
  PairTable ranks_;              // of the merges, by the ids of their two sides
  std::vector<int32_t> merged_;  // the id a merge gives, by rank
  ByteTokens byte_tokens_;       // all empty without "byte_fallback"
  std::optional<int32_t> unknown_;
  bool fuses_unknown_;       // neighbouring unknown characters are one token
  bool takes_whole_pieces_;  // "ignore_merges": a piece that is a token stays one
  bool cuts_at_metaspaces_;  // no token reaches over the border of a character and a metaspace
};

}  // namespace paroquant::text

#endif  // PAROQUANT_TEXT_BPE_MODEL_H_
