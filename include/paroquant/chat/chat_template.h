// Conversations written out as the text that a model was trained on, by the model's own template.
#ifndef PAROQUANT_CHAT_CHAT_TEMPLATE_H_
#define PAROQUANT_CHAT_CHAT_TEMPLATE_H_

#include <ctime>
#include <filesystem>
#include <memory>
#include <string>

#include "paroquant/io/json.h"

namespace paroquant::chat {

// Today's date and time here.
std::tm LocalTime();
// A date for what must not hang on the day of the run: 26 July 2024, the one that Llama 3.2's
// template falls back to.
std::tm FixedTime();

// What a template is rendered with.
struct Conversation {
  io::Json messages;         // an array of objects, each with a "role"
  io::Json tools = nullptr;  // an array of objects, or null
  // Whether the text ends where the assistant begins to answer.
  bool add_generation_prompt = false;
  // More variables by their names, an object: "enable_thinking", ...
  io::Json variables = io::Json::object();
  std::tm now = FixedTime();  // what strftime_now gives
};

// Jinja as far as published templates use it, with the settings and the additions of transformers'
// apply_chat_template. Immutable and safe to share among threads; copies are cheap.
class ChatTemplate {
 public:
  // The template of a model's folder: chat_template.jinja, else the key "chat_template" of
  // tokenizer_config.json, which may hold several; the one named "tool_use" (or
  // additional_chat_templates/tool_use.jinja) then serves conversations with tools. The special
  // tokens of tokenizer_config.json, and of special_tokens_map.json, are its variables.
  // Throws kSystem; kInput if the folder has no template or one that is no Jinja; kUnsupported,
  // with file and line, for a construct, filter, test or method that is not handled.
  static ChatTemplate Load(const std::filesystem::path& model);

  // A template out of `source`, which `where` names in errors. `variables` is an object, whose
  // entries every rendering has.
  static ChatTemplate Parse(const std::string& source, const std::string& where,
                            const io::Json& variables);

  // The text of `conversation`, all of it: special tokens are spelled out, BOS included where the
  // template has it. As in transformers, keys of messages that are null count as absent.
  // Throws kInput if the template raises an error or is not made for such a conversation, and
  // kUnsupported for what only the values show not to be handled; both name `where`, which should
  // be the record's place, and the template's file and line.
  std::string Render(const Conversation& conversation, const std::string& where) const;

 private:
  struct Parts;

  explicit ChatTemplate(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}

  std::shared_ptr<const Parts> parts_;
};

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_CHAT_TEMPLATE_H_
