#include "paroquant/text/tokenizer.h"

#include <fmt/format.h>

#include <utility>

#include "text/added_tokens.h"
#include "text/bpe_model.h"
#include "text/decoder.h"
#include "text/normalizer.h"
#include "text/post_processor.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer_file.h"
#include "text/unicode.h"
#include "text/vocabulary.h"

namespace paroquant::text {
namespace {

Vocabulary LoadVocabulary(const std::vector<TokenizerFile::Token>& tokens,
                          const std::vector<AddedToken>& added, const std::string& where) {
  Vocabulary vocabulary;
  vocabulary.Reserve(tokens.size() + added.size());
  for (const auto& [token, id] : tokens) vocabulary.Add(token, id, where + ": model: vocab");
  for (const AddedToken& token : added) {
    vocabulary.Add(token.content, token.id, where + ": added_tokens");
  }
  return vocabulary;
}

// The tokens to be found before normalization, or those after it, in their normalized spelling.
AddedTokenFinder MakeFinder(std::vector<AddedToken> tokens, bool normalized,
                            const Normalizer& normalizer) {
  std::erase_if(tokens, [&](const AddedToken& token) { return token.normalized != normalized; });
  for (AddedToken& token : tokens) {
    if (normalized) token.content = normalizer.Normalize(std::move(token.content));
  }
  return AddedTokenFinder(std::move(tokens));
}

std::vector<bool> SpecialIds(const std::vector<AddedToken>& added, int64_t vocabulary_size) {
  std::vector<bool> is_special(static_cast<size_t>(vocabulary_size));
  for (const AddedToken& token : added) {
    if (token.special) is_special[static_cast<size_t>(token.id)] = true;
  }
  return is_special;
}

}  // namespace

struct Tokenizer::Parts {
  Parts(const TokenizerFile& file, const io::JsonObject& settings,
        const std::vector<AddedToken>& added)
      : vocabulary(LoadVocabulary(file.vocab, added, settings.where())),
        model(settings.Object("model"), file.merges, vocabulary),
        normalizer(LoadNormalizer(settings)),
        pre_tokenizer(LoadPreTokenizer(settings)),
        frame(LoadSpecialFrame(settings, vocabulary.size())),
        decoder(LoadDecoder(settings)),
        original_finder(MakeFinder(added, /*normalized=*/false, *normalizer)),
        normalized_finder(MakeFinder(added, /*normalized=*/true, *normalizer)),
        is_special(SpecialIds(added, vocabulary.size())) {}

  // Appends the ids of a stretch without added tokens of the original text.
  void EncodeStretch(std::string_view stretch, bool starts_document, BpeModel::Workspace& workspace,
                     std::vector<int32_t>& ids) const;

  Vocabulary vocabulary;
  BpeModel model;
  std::unique_ptr<Normalizer> normalizer;
  std::unique_ptr<PreTokenizer> pre_tokenizer;
  SpecialFrame frame;
  std::unique_ptr<Decoder> decoder;
  AddedTokenFinder original_finder;
  AddedTokenFinder normalized_finder;
  std::vector<bool> is_special;  // by id
};

void Tokenizer::Parts::EncodeStretch(std::string_view stretch, bool starts_document,
                                     BpeModel::Workspace& workspace,
                                     std::vector<int32_t>& ids) const {
  const std::string normalized = normalizer->Normalize(std::string(stretch));
  for (const auto& [span, id] : normalized_finder.Split(normalized)) {
    if (id.has_value()) {
      ids.push_back(*id);
      continue;
    }
    Pieces pieces{.text = std::string(span.In(normalized)),
                  .spans = {{.begin = 0, .end = span.size()}},
                  .starts_document = starts_document && span.begin == 0};
    pre_tokenizer->Cut(pieces);
    for (const Span piece : pieces.spans) {
      model.Encode(piece.In(pieces.text), workspace, ids);
    }
  }
}

Tokenizer Tokenizer::Load(const std::filesystem::path& tokenizer_json) {
  const TokenizerFile file = ReadTokenizerFile(tokenizer_json);
  const io::JsonObject settings(file.settings, tokenizer_json.string());
  return Tokenizer(std::make_shared<const Parts>(file, settings, LoadAddedTokens(settings)));
}

std::vector<int32_t> Tokenizer::Encode(std::string_view text, bool add_special_tokens) const {
  std::string repaired;
  if (ValidUtf8Prefix(text) < text.size()) {
    repaired = ReplaceInvalidUtf8(text);
    text = repaired;
  }
  const SpecialFrame frame = add_special_tokens ? parts_->frame : SpecialFrame();
  std::vector<int32_t> ids = frame.before;
  BpeModel::Workspace workspace;
  for (const auto& [span, id] : parts_->original_finder.Split(text)) {
    if (id.has_value()) {
      ids.push_back(*id);
    } else {
      parts_->EncodeStretch(span.In(text), span.begin == 0, workspace, ids);
    }
  }
  ids.insert(ids.end(), frame.after.begin(), frame.after.end());
  return ids;
}

std::string Tokenizer::Decode(std::span<const int32_t> ids, bool skip_special_tokens) const {
  std::vector<std::string> tokens;
  tokens.reserve(ids.size());
  for (const int32_t id : ids) {
    if (!parts_->vocabulary.Has(id) || (skip_special_tokens && IsSpecial(id))) continue;
    tokens.emplace_back(parts_->vocabulary.Token(id));
  }
  std::string text;
  for (const std::string& part : parts_->decoder->Decode(std::move(tokens))) text += part;
  return text;
}

int64_t Tokenizer::vocab_size() const { return parts_->vocabulary.size(); }

std::optional<int32_t> Tokenizer::TokenToId(std::string_view token) const {
  return parts_->vocabulary.Find(token);
}

bool Tokenizer::IsSpecial(int32_t id) const {
  return parts_->vocabulary.Has(id) && parts_->is_special[static_cast<size_t>(id)];
}

std::string_view Tokenizer::IdToToken(int32_t id) const { return parts_->vocabulary.Token(id); }

}  // namespace paroquant::text
