#include "paroquant/chat/chat_template.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "chat/interpreter.h"
#include "chat/parser.h"
#include "chat/template_files.h"
#include "paroquant/base/error.h"
#include "text/unicode.h"

namespace paroquant::chat {

// Has linkage, as ChatTemplate::Parts, which holds it, does: GCC warns otherwise where sources are
// joined.
struct ParsedTemplate {
  std::string where;
  Body body;
};

namespace {

ParsedTemplate ParseSource(const TemplateSource& source) {
  if (text::ValidUtf8Prefix(source.text) < source.text.size()) {
    throw Error(ErrorKind::kInput, {.where = source.where,
                                    .expected = "text in UTF-8",
                                    .found = "bytes that are no UTF-8",
                                    .hint = "Compare with the model's original file."});
  }
  try {
    return {source.where, ParseTemplate(source.text)};
  } catch (const Fault& fault) {
    const bool unsupported = fault.kind() == Fault::Kind::kUnsupported;
    throw Error(unsupported ? ErrorKind::kUnsupported : ErrorKind::kInput,
                {.where = fmt::format("{}:{}", source.where, fault.line()),
                 .expected = unsupported ? "what chat templates are known to use"
                                         : "a chat template in the language Jinja",
                 .found = fault.message(),
                 .hint = unsupported ? "Write the conversations out as \"text\" with the model's "
                                       "own software."
                                     : "Compare with the model's original file."});
  }
}

Error RenderError(const Fault& fault, const std::string& where, const std::string& file) {
  const bool unsupported = fault.kind() == Fault::Kind::kUnsupported;
  return Error(unsupported ? ErrorKind::kUnsupported : ErrorKind::kInput,
               {.where = where,
                .expected = "a conversation that the model's chat template takes",
                .found = fmt::format("\"{}\" at {}:{}", fault.message(), file, fault.line()),
                .hint = unsupported ? "The template asks for something that is not handled."
                                    : "Change or leave out this conversation."});
}

// Older names of what a model thinks before it answers; the first is today's.
constexpr const char* kReasoningKeys[] = {"reasoning_content", "thinking", "reasoning"};

// As transformers hands messages over: without keys that are null, and with what a model thinks
// under all of the names that templates read.
io::Json Normalized(const io::Json& message) {
  io::Json normalized = io::Json::object();
  for (const auto& [key, value] : message.items()) {
    if (!value.is_null()) normalized[key] = value;
  }
  for (const char* key : kReasoningKeys) {
    const auto found = normalized.find(key);
    if (found == normalized.end()) continue;
    const io::Json reasoning = *found;
    normalized["reasoning_content"] = reasoning;
    if (!normalized.contains("thinking")) normalized["thinking"] = reasoning;
    break;
  }
  return normalized;
}

[[noreturn]] void FailRecord(const std::string& where, const std::string& expected,
                             const std::string& found) {
  throw Error(ErrorKind::kInput,
              {.where = where,
               .expected = expected,
               .found = found,
               .hint = "A conversation is {\"messages\": [{\"role\": \"user\", \"content\": "
                       "\"...\"}, ...]}."});
}

io::Json NormalizedMessages(const Conversation& conversation, const std::string& where) {
  if (!conversation.messages.is_array() || conversation.messages.empty()) {
    FailRecord(where + ": messages", "an array of at least one message",
               conversation.messages.is_array() ? "none" : conversation.messages.type_name());
  }
  io::Json messages = io::Json::array();
  for (const io::Json& message : conversation.messages) {
    const std::string place = fmt::format("{}: messages[{}]", where, messages.size());
    if (!message.is_object()) FailRecord(place, "an object", message.type_name());
    if (!message.contains("role") || !message.at("role").is_string()) {
      FailRecord(place, "a key \"role\" with a string",
                 message.contains("role") ? message.at("role").type_name() : "no such key");
    }
    messages.push_back(Normalized(message));
  }
  return messages;
}

void CheckTools(const io::Json& tools, const std::string& where) {
  if (tools.is_null()) return;
  if (!tools.is_array()) FailRecord(where + ": tools", "an array or null", tools.type_name());
  for (const io::Json& tool : tools) {
    if (!tool.is_object()) FailRecord(where + ": tools", "objects", tool.type_name());
  }
}

}  // namespace

struct ChatTemplate::Parts {
  ParsedTemplate usual;
  std::optional<ParsedTemplate> with_tools;
  io::Json variables;
};

ChatTemplate ChatTemplate::Load(const std::filesystem::path& model) {
  const TemplateSources sources = FindTemplates(model);
  Parts parts{.usual = ParseSource(sources.usual),
              .with_tools = std::nullopt,
              .variables = SpecialTokens(model)};
  if (sources.with_tools) parts.with_tools = ParseSource(*sources.with_tools);
  return ChatTemplate(std::make_shared<const Parts>(std::move(parts)));
}

ChatTemplate ChatTemplate::Parse(const std::string& source, const std::string& where,
                                 const io::Json& variables) {
  Parts parts{.usual = ParseSource({.where = where, .text = source}),
              .with_tools = std::nullopt,
              .variables = variables};
  return ChatTemplate(std::make_shared<const Parts>(std::move(parts)));
}

std::string ChatTemplate::Render(const Conversation& conversation, const std::string& where) const {
  const io::Json messages = NormalizedMessages(conversation, where);
  CheckTools(conversation.tools, where);
  const bool has_tools = !conversation.tools.is_null() && parts_->with_tools.has_value();
  const ParsedTemplate& parsed = has_tools ? *parts_->with_tools : parts_->usual;
  Context context{.now = conversation.now};
  try {
    Variables variables;
    const auto add = [&](const std::string& name, const io::Json& value) {
      variables.emplace_back(name, Value::FromJson(value, context.budget));
    };
    for (const auto& [name, value] : parts_->variables.items()) add(name, value);
    for (const auto& [name, value] : conversation.variables.items()) add(name, value);
    add("messages", messages);
    add("tools", conversation.tools);
    add("documents", nullptr);
    add("add_generation_prompt", conversation.add_generation_prompt);
    return Interpreter(parsed.body, variables, context).Render();
  } catch (const Fault& fault) {
    throw RenderError(fault, where, parsed.where);
  }
}

std::tm LocalTime() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return local;
}

std::tm FixedTime() {
  std::tm date{};
  date.tm_year = 2024 - 1900;
  date.tm_mon = 6;
  date.tm_mday = 26;
  date.tm_wday = 5;
  date.tm_yday = 207;
  return date;
}

}  // namespace paroquant::chat
