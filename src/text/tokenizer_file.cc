#include "text/tokenizer_file.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "paroquant/base/error.h"
#include "paroquant/base/file.h"
#include "text/component.h"

namespace paroquant::text {
namespace {

constexpr int kMaxDepth = 64;
constexpr uint64_t kMaxFileBytes = uint64_t{256} << 20;

Error SyntaxError(const std::string& where, const std::string& found) {
  return Error(ErrorKind::kInput, {.where = where,
                                   .expected = "a tokenizer in JSON",
                                   .found = found,
                                   .hint = "The file is damaged; fetch the model's original one."});
}

// Objects sorted by key: finding one of 150,000 tokens must not walk the others.
nlohmann::json Parse(const std::string& text, const std::string& where) {
  using Event = nlohmann::json::parse_event_t;
  const auto check_depth = [&](int depth, Event /*event*/, nlohmann::json& /*parsed*/) {
    if (depth > kMaxDepth) throw SyntaxError(where, fmt::format("more than {} levels", kMaxDepth));
    return true;
  };
  try {
    return nlohmann::json::parse(text, check_depth);
  } catch (const nlohmann::json::parse_error& error) {
    throw SyntaxError(where, fmt::format("a syntax error at byte {}", error.byte));
  }
}

// Moves a table out of the model, which then lacks it.
nlohmann::json Take(nlohmann::json& model, const char* key) {
  nlohmann::json table;
  if (const auto found = model.find(key); found != model.end()) {
    table = std::move(*found);
    model.erase(found);
  }
  return table;
}

}  // namespace

TokenizerFile ReadTokenizerFile(const std::filesystem::path& path) {
  nlohmann::json root = Parse(ReadFile(path, kMaxFileBytes), path.string());
  TokenizerFile file;
  if (root.is_object() && root.contains("model") && root["model"].is_object()) {
    file.vocab = Take(root["model"], "vocab");
    file.merges = Take(root["model"], "merges");
  }
  file.settings = root;
  const io::JsonObject settings(file.settings, path.string());
  const io::JsonObject model = settings.Object("model");
  // Old files leave the type out; only this kind has merges.
  const bool is_untyped_bpe = !model.Has("type") && !file.merges.is_null();
  if (!is_untyped_bpe && model.GetOr<std::string>("type", "") != "BPE") {
    RefuseValue(model, "type", "BPE");
  }
  if (!file.vocab.is_object()) model.Fail("vocab", "an object", file.vocab.type_name());
  if (!file.merges.is_array()) model.Fail("merges", "an array", file.merges.type_name());
  return file;
}

}  // namespace paroquant::text
