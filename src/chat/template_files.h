// Where a model's folder keeps its chat template.
#ifndef PAROQUANT_CHAT_TEMPLATE_FILES_H_
#define PAROQUANT_CHAT_TEMPLATE_FILES_H_

#include <filesystem>
#include <optional>
#include <string>

#include "paroquant/io/json.h"

namespace paroquant::chat {

struct TemplateSource {
  std::string where;  // the file, and the place in it
  std::string text;
};

struct TemplateSources {
  TemplateSource usual;
  std::optional<TemplateSource> with_tools;  // a template of its own for conversations with tools
};

// Throws kSystem; kInput if there is none.
TemplateSources FindTemplates(const std::filesystem::path& model);

// "bos_token", "eos_token", ... with their text, those that the model has.
io::Json SpecialTokens(const std::filesystem::path& model);

}  // namespace paroquant::chat

#endif  // PAROQUANT_CHAT_TEMPLATE_FILES_H_
