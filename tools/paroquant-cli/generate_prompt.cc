#include "generate_prompt.h"

#include <fmt/format.h>

#include <algorithm>

#include "paroquant/base/error.h"
#include "paroquant/base/folder.h"
#include "paroquant/chat/chat_template.h"
#include "paroquant/io/json.h"

namespace paroquant::cli {
namespace {

std::vector<int32_t> EncodeChat(const std::string& prompt, const std::filesystem::path& model,
                                const text::Tokenizer& tokenizer) {
  const chat::Conversation conversation{
      .messages = io::Json::array({{{"role", "user"}, {"content", prompt}}}),
      .add_generation_prompt = true,
      .now = chat::LocalTime()};
  const std::string text = chat::ChatTemplate::Load(model).Render(conversation, "--prompt");
  return tokenizer.Encode(text, /*add_special_tokens=*/false);
}

std::vector<int32_t> EncodeText(const std::string& prompt, const text::Tokenizer& tokenizer,
                                const model::Architecture& architecture) {
  std::vector<int32_t> ids = tokenizer.Encode(prompt, /*add_special_tokens=*/true);
  if (ids.empty() && architecture.bos_token_id) ids.push_back(*architecture.bos_token_id);
  // Templates may close a text, too, but this one goes on.
  const auto& eos = architecture.eos_token_ids;
  if (ids.size() > 1 && std::ranges::find(eos, ids.back()) != eos.end()) ids.pop_back();
  return ids;
}

}  // namespace

std::vector<int32_t> EncodePrompt(const std::string& prompt, bool chat,
                                  const std::filesystem::path& model,
                                  const text::Tokenizer& tokenizer,
                                  const model::Architecture& architecture) {
  std::vector<int32_t> ids =
      chat ? EncodeChat(prompt, model, tokenizer) : EncodeText(prompt, tokenizer, architecture);
  const auto room = architecture.max_positions - static_cast<int64_t>(ids.size());
  if (ids.empty() || room < 1) {
    throw Error(ErrorKind::kInput,
                {.where = "--prompt",
                 .expected = fmt::format("1 to {} tokens", architecture.max_positions - 1),
                 .found = fmt::format("{}", ids.size()),
                 .hint = "Give a prompt that fits the model's context."});
  }
  return ids;
}

std::vector<int32_t> ReadEndTokens(const std::filesystem::path& model) {
  const std::filesystem::path path = model / "generation_config.json";
  if (!Exists(path)) return {};
  const io::Json config = io::ReadJsonFile(path);
  const io::JsonObject object(config, path.string());
  if (!object.Has("eos_token_id")) return {};
  const io::Json& eos = config.at("eos_token_id");
  if (!eos.is_array()) return {object.Get<int32_t>("eos_token_id")};
  std::vector<int32_t> ids;
  for (const io::Json& id : eos) {
    const io::Json single = {{"eos_token_id", id}};
    ids.push_back(io::JsonObject(single, path.string()).Get<int32_t>("eos_token_id"));
  }
  return ids;
}

}  // namespace paroquant::cli
