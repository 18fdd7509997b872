#include "paroquant/eval/evaluation_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "paroquant/base/error.h"
#include "paroquant/base/rng.h"
#include "paroquant/text/dataset.h"
#include "paroquant/text/tokenizer.h"

namespace paroquant::eval {
namespace {

constexpr int64_t kC4Windows = 256;

struct ProtocolRow {
  Protocol protocol;
  const char* name;
};
constexpr std::array<ProtocolRow, 3> kProtocols = {{{Protocol::kPaper, "paper"},
                                                    {Protocol::kLlamaCpp, "llama.cpp"},
                                                    {Protocol::kPaperC4, "paper-c4"}}};

std::optional<int32_t> WindowBos(const EvaluationTextOptions& options) {
  if (options.bos == BosUse::kNever) return std::nullopt;
  if (options.bos == BosUse::kAlways && !options.bos_token_id) {
    throw Error(ErrorKind::kUsage, {.where = "--bos always",
                                    .expected = "a model with a bos_token_id",
                                    .found = "none in its config.json",
                                    .hint = "Use --bos auto."});
  }
  const bool wanted = options.bos == BosUse::kAlways || options.protocol == Protocol::kLlamaCpp;
  return wanted ? options.bos_token_id : std::nullopt;
}

WindowOptions CutOptions(const std::string& source, const EvaluationTextOptions& options) {
  return {.source = source,
          .window = options.window,
          .max_window = options.max_positions,
          .stride = options.stride,
          .max_windows = options.max_windows,
          .bos = WindowBos(options),
          .second_half_only = options.protocol == Protocol::kLlamaCpp};
}

// The ids of a file, all of them the model's.
std::vector<int32_t> LoadTokenIds(const std::filesystem::path& path,
                                  const EvaluationTextOptions& options) {
  if (options.protocol == Protocol::kPaperC4) {
    throw Error(ErrorKind::kUsage, {.where = "--protocol paper-c4",
                                    .expected = "documents to crop",
                                    .found = "token ids in " + path.string(),
                                    .hint = "Use --protocol paper."});
  }
  std::vector<int32_t> ids = text::ReadTokenIds(path);
  const auto foreign =
      std::ranges::find_if(ids, [&](int32_t id) { return id >= options.vocab_size; });
  if (foreign == ids.end()) return ids;
  throw Error(ErrorKind::kInput,
              {.where = fmt::format("{}: input_ids[{}]", path.string(), foreign - ids.begin()),
               .expected = fmt::format("an id under the vocabulary size {}", options.vocab_size),
               .found = fmt::format("{}", *foreign),
               .hint = "The text was tokenized for another model."});
}

std::string JoinDocuments(const std::vector<std::string>& documents) {
  std::string text;
  for (const std::string& document : documents) {
    if (!text.empty()) text += "\n\n";
    text += document;
  }
  return text;
}

// GPTQ's way with C4: a random document that is longer than a window, a random place in it.
std::vector<Window> RandomCrops(const std::vector<std::string>& documents,
                                const text::Tokenizer& tokenizer, const WindowOptions& cut,
                                uint64_t seed) {
  const int64_t length = std::min(cut.window, cut.max_window);
  std::vector<std::vector<int32_t>> long_documents;
  for (const std::string& document : documents) {
    std::vector<int32_t> ids = tokenizer.Encode(document, /*add_special_tokens=*/false);
    if (static_cast<int64_t>(ids.size()) > length) long_documents.push_back(std::move(ids));
  }
  if (long_documents.empty()) {
    throw Error(ErrorKind::kInput,
                {.where = cut.source,
                 .expected = fmt::format("a document of more than {} tokens", length),
                 .found = fmt::format("{} shorter ones", documents.size()),
                 .hint = "Use a smaller --window or --protocol paper."});
  }
  Rng rng(seed);
  std::vector<Window> windows;
  for (int64_t i = 0; i < cut.max_windows; ++i) {
    const auto& ids = long_documents[rng.Below(long_documents.size())];
    const auto window = static_cast<size_t>(length);
    const std::span crop = std::span(ids).subspan(rng.Below(ids.size() - window), window);
    windows.push_back(CutWindows(crop, cut).front());
  }
  return windows;
}

}  // namespace

const char* ProtocolName(Protocol protocol) {
  return std::find_if(kProtocols.begin(), kProtocols.end(),
                      [&](const ProtocolRow& row) { return row.protocol == protocol; })
      ->name;
}

Protocol ProtocolFromName(const std::string& name) {
  std::string names;
  for (const ProtocolRow& row : kProtocols) {
    if (name == row.name) return row.protocol;
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  throw Error(ErrorKind::kUsage, {.where = "--protocol",
                                  .expected = "one of " + names,
                                  .found = fmt::format("\"{}\"", name),
                                  .hint = "See paroquant eval-ppl --help."});
}

std::vector<Window> LoadWindows(const std::string& data, const EvaluationTextOptions& options) {
  const std::filesystem::path path = text::FindDataset(data, options.data_dir);
  WindowOptions cut = CutOptions(path.string(), options);
  if (text::HoldsTokenIds(path)) return CutWindows(LoadTokenIds(path, options), cut);

  const auto tokenizer = text::Tokenizer::Load(options.tokenizer_json);
  const std::vector<std::string> documents = text::ReadDocuments(path);
  const bool crops = options.protocol == Protocol::kPaperC4;
  if (cut.max_windows == 0 && (data == "c4" || crops)) cut.max_windows = kC4Windows;
  if (crops) return RandomCrops(documents, tokenizer, cut, options.seed);
  return CutWindows(tokenizer.Encode(JoinDocuments(documents), /*add_special_tokens=*/false), cut);
}

}  // namespace paroquant::eval
