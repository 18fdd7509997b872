#include "chat/template_files.h"

#include <fmt/format.h>

#include "paroquant/base/error.h"
#include "paroquant/base/folder.h"
#include "paroquant/io/text_file.h"

namespace paroquant::chat {
namespace {

constexpr uint64_t kMaxBytes = uint64_t{4} << 20;

TemplateSource ReadSource(const std::filesystem::path& path) {
  return {.where = path.string(), .text = io::ReadTextFile(path, kMaxBytes)};
}

std::optional<TemplateSources> FindFiles(const std::filesystem::path& model) {
  const std::filesystem::path usual = model / "chat_template.jinja";
  if (!Exists(usual)) return std::nullopt;
  TemplateSources sources{.usual = ReadSource(usual), .with_tools = std::nullopt};
  const auto with_tools = model / "additional_chat_templates" / "tool_use.jinja";
  if (Exists(with_tools)) sources.with_tools = ReadSource(with_tools);
  return sources;
}

[[noreturn]] void FailNoTemplate(const std::string& where, const std::string& found) {
  throw Error(ErrorKind::kInput,
              {.where = where,
               .expected = "a chat template (chat_template.jinja, or the key \"chat_template\" of "
                           "tokenizer_config.json)",
               .found = found,
               .hint = "A model that is not made for conversations has none: give it text "
                       "(generate: without --chat)."});
}

// Out of [{"name": ..., "template": ...}, ...].
std::optional<TemplateSource> FindNamed(const io::Json& list, const std::string& where,
                                        const std::string& name) {
  for (const io::Json& entry : list) {
    const io::JsonObject object(entry, where);
    if (object.Get<std::string>("name") != name) continue;
    return TemplateSource{fmt::format("{} \"{}\"", where, name),
                          object.Get<std::string>("template")};
  }
  return std::nullopt;
}

io::Json ReadObject(const std::filesystem::path& path) {
  if (!Exists(path)) return io::Json::object();
  io::Json json = io::ReadJsonFile(path);
  const io::JsonObject checked(json, path.string());
  return json;
}

// The text of a token, which may stand in an object that also says how it is matched.
std::optional<std::string> TokenText(const io::Json& tokens, const char* name) {
  const auto found = tokens.find(name);
  if (found == tokens.end()) return std::nullopt;
  if (found->is_string()) return found->get<std::string>();
  const bool is_object = found->is_object() && found->contains("content");
  if (is_object && found->at("content").is_string()) return found->at("content").get<std::string>();
  return std::nullopt;
}

}  // namespace

TemplateSources FindTemplates(const std::filesystem::path& model) {
  if (auto files = FindFiles(model)) return *std::move(files);
  const std::filesystem::path path = model / "tokenizer_config.json";
  const io::Json config = ReadObject(path);
  const auto found = config.find("chat_template");
  const std::string where = path.string() + ": chat_template";
  if (found == config.end() || found->is_null()) FailNoTemplate(model.string(), "neither");
  if (found->is_string()) {
    return {.usual = {where, found->get<std::string>()}, .with_tools = std::nullopt};
  }
  if (!found->is_array()) FailNoTemplate(where, found->type_name());
  std::optional<TemplateSource> usual = FindNamed(*found, where, "default");
  if (!usual) FailNoTemplate(where, "none of the name \"default\"");
  return {.usual = *std::move(usual), .with_tools = FindNamed(*found, where, "tool_use")};
}

io::Json SpecialTokens(const std::filesystem::path& model) {
  const io::Json config = ReadObject(model / "tokenizer_config.json");
  const io::Json map = ReadObject(model / "special_tokens_map.json");
  io::Json tokens = io::Json::object();
  for (const char* name : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token",
                           "cls_token", "mask_token"}) {
    std::optional<std::string> text = TokenText(config, name);
    if (!text) text = TokenText(map, name);
    if (text) tokens[name] = *text;
  }
  return tokens;
}

}  // namespace paroquant::chat
