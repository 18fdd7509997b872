#include "text/bpe_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

#include "paroquant/base/error.h"
#include "text/component.h"
#include "text/unicode.h"

namespace paroquant::text {
namespace {

using Symbol = BpeModel::Workspace::Symbol;

constexpr std::string_view kMetaspace = "▁";
constexpr int32_t kNoPosition = BpeModel::Workspace::kNoPosition;
constexpr int32_t kConsumed = -1;  // the id of a symbol that has been merged into the one before

// Words worth remembering: long ones hardly come back, and memory is not to grow with the text.
constexpr size_t kMaxRememberedLength = 128;
constexpr size_t kMaxRememberedWords = size_t{1} << 17;

void CheckSupported(const io::JsonObject& settings) {
  if (settings.GetOr("dropout", 0.0) != 0.0) RefuseValue(settings, "dropout", "0 or null");
  for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!settings.GetOr<std::string>(affix, "").empty()) RefuseValue(settings, affix, "none");
  }
}

// Where the next word begins in `text`, from `position` on: at a metaspace after something else.
size_t NextWordStart(std::string_view text, size_t position) {
  size_t found = text.find(kMetaspace, position);
  while (found != std::string_view::npos && text.substr(0, found).ends_with(kMetaspace)) {
    found = text.find(kMetaspace, found + kMetaspace.size());
  }
  return std::min(found, text.size());
}

bool HasInnerWordStart(std::string_view token) {
  const size_t first = token.starts_with(kMetaspace) ? kMetaspace.size() : 1;
  return NextWordStart(token, std::min(first, token.size())) < token.size();
}

}  // namespace

BpeModel::BpeModel(const io::JsonObject& settings, const std::vector<TokenizerFile::Merge>& merges,
                   const Vocabulary& vocabulary)
    : vocabulary_(vocabulary),
      ranks_(merges.size()),
      fuses_unknown_(settings.GetOr("fuse_unk", false)),
      takes_whole_pieces_(settings.GetOr("ignore_merges", false)),
      cuts_at_metaspaces_(vocabulary.Find(kMetaspace).has_value()) {
  CheckSupported(settings);
  LoadMerges(merges, settings.where());
  if (settings.GetOr("byte_fallback", false)) {
    for (size_t byte = 0; byte < byte_tokens_.size(); ++byte) {
      byte_tokens_[byte] = vocabulary_.Find(fmt::format("<0x{:02X}>", byte));
    }
  }
  if (settings.Has("unk_token")) {
    const auto token = settings.Get<std::string>("unk_token");
    unknown_ = vocabulary_.Find(token);
    if (!unknown_.has_value()) {
      settings.Fail("unk_token", "a token of the vocabulary", fmt::format("\"{}\"", token));
    }
  }
}

void BpeModel::LoadMerges(const std::vector<TokenizerFile::Merge>& merges,
                          const std::string& where) {
  merged_.reserve(merges.size());
  for (const auto& [left_token, right_token] : merges) {
    const std::string token = left_token + right_token;
    const auto left = vocabulary_.Find(left_token);
    const auto right = vocabulary_.Find(right_token);
    const auto merged = vocabulary_.Find(token);
    if (!left.has_value() || !right.has_value() || !merged.has_value()) {
      throw Error(ErrorKind::kInput,
                  {.where = fmt::format("{}: merges[{}]", where, merged_.size()),
                   .expected = "tokens of the vocabulary on both sides and joined",
                   .found = fmt::format("\"{}\" and \"{}\"", left_token, right_token),
                   .hint = "The tokenizer is damaged; fetch the model's original."});
    }
    ranks_.Set(*left, *right, static_cast<int32_t>(merged_.size()));
    merged_.push_back(*merged);
    cuts_at_metaspaces_ = cuts_at_metaspaces_ && !HasInnerWordStart(token);
  }
}

void BpeModel::Encode(std::string_view piece, Workspace& workspace,
                      std::vector<int32_t>& ids) const {
  if (takes_whole_pieces_) {
    if (const auto id = vocabulary_.Find(piece); id.has_value()) return ids.push_back(*id);
  }
  if (!cuts_at_metaspaces_) return EncodeWord(piece, workspace, ids);
  // Sentencepiece's tokenizers have no pre-tokenizer: the piece is the whole document. Its words
  // give the same ids one by one, and most of them have been met before.
  for (size_t begin = 0; begin < piece.size();) {
    const size_t end = NextWordStart(piece, begin + 1);
    EncodeWord(piece.substr(begin, end - begin), workspace, ids);
    begin = end;
  }
}

void BpeModel::EncodeWord(std::string_view word, Workspace& workspace,
                          std::vector<int32_t>& ids) const {
  const auto known = workspace.words.find(word);
  if (known != workspace.words.end()) {
    ids.insert(ids.end(), known->second.begin(), known->second.end());
    return;
  }
  Segment(word, workspace);
  Merge(workspace);
  const auto first = std::ssize(ids);
  for (const Symbol& symbol : workspace.symbols) {
    if (symbol.id != kConsumed) ids.push_back(symbol.id);
  }
  if (word.size() <= kMaxRememberedLength && workspace.words.size() < kMaxRememberedWords) {
    workspace.words.try_emplace(std::string(word), ids.begin() + first, ids.end());
  }
}

// Sets the symbols to the tokens of the word's characters; unknown characters become their bytes'
// tokens, the unknown token or nothing, whichever the tokenizer has first.
void BpeModel::Segment(std::string_view word, Workspace& workspace) const {
  workspace.symbols.clear();
  const auto append = [&](int32_t id) { workspace.symbols.push_back({.id = id}); };
  bool unknown_is_due = false;
  for (size_t position = 0; position < word.size();) {
    const std::string_view character = word.substr(position, Utf8Length(word[position]));
    position += character.size();
    if (const auto id = vocabulary_.Find(character); id.has_value()) {
      if (std::exchange(unknown_is_due, false)) append(*unknown_);
      append(*id);
    } else if (!AppendByteTokens(character, workspace) && unknown_.has_value()) {
      if (std::exchange(unknown_is_due, true) && !fuses_unknown_) append(*unknown_);
    }
  }
  if (unknown_is_due) append(*unknown_);
}

bool BpeModel::AppendByteTokens(std::string_view character, Workspace& workspace) const {
  const auto token_of = [this](char byte) { return byte_tokens_[static_cast<uint8_t>(byte)]; };
  const auto has_token = [&](char byte) { return token_of(byte).has_value(); };
  if (!std::ranges::all_of(character, has_token)) return false;
  for (const char byte : character) workspace.symbols.push_back({.id = *token_of(byte)});
  return true;
}

void BpeModel::Merge(Workspace& workspace) const {
  std::vector<Symbol>& symbols = workspace.symbols;
  std::vector<uint64_t>& candidates = workspace.candidates;
  if (symbols.size() > size_t{std::numeric_limits<int32_t>::max()}) {
    throw Error(ErrorKind::kUnsupported, {.where = "a text to tokenize",
                                          .expected = "fewer than 2^31 characters without a border",
                                          .found = fmt::format("{}", symbols.size()),
                                          .hint = "Cut the text into shorter documents."});
  }
  const auto count = static_cast<int32_t>(symbols.size());
  candidates.clear();
  for (int32_t i = 0; i < count; ++i) {
    symbols[i].previous = i - 1;
    symbols[i].next = i + 1 < count ? i + 1 : kNoPosition;
    Propose(i, workspace);
  }
  while (!candidates.empty()) {
    std::ranges::pop_heap(candidates, std::greater<>());
    const auto rank = static_cast<int32_t>(candidates.back() >> 32);
    const auto position = static_cast<int32_t>(candidates.back());
    candidates.pop_back();
    Symbol& left = symbols[position];
    if (left.rank != rank) continue;  // one of the two has been merged meanwhile
    Symbol& right = symbols[left.next];
    left.id = merged_[rank];
    left.next = right.next;
    right.id = kConsumed;
    right.rank = PairTable::kAbsent;
    if (left.next != kNoPosition) symbols[left.next].previous = position;
    Propose(position, workspace);
    if (left.previous != kNoPosition) Propose(left.previous, workspace);
  }
}

// Looks up the merge of a symbol with the next one and puts it among the candidates.
void BpeModel::Propose(int32_t position, Workspace& workspace) const {
  Symbol& symbol = workspace.symbols[position];
  symbol.rank = symbol.next == kNoPosition
                    ? PairTable::kAbsent
                    : ranks_.Find(symbol.id, workspace.symbols[symbol.next].id);
  if (symbol.rank == PairTable::kAbsent) return;
  workspace.candidates.push_back(static_cast<uint64_t>(symbol.rank) << 32 |
                                 static_cast<uint32_t>(position));
  std::ranges::push_heap(workspace.candidates, std::greater<>());
}

}  // namespace paroquant::text
