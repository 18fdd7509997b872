// What `generate` goes on from, and where it stops.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_GENERATE_PROMPT_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_GENERATE_PROMPT_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "paroquant/model/architecture.h"
#include "paroquant/text/tokenizer.h"

namespace paroquant::cli {

// The ids of `prompt`, with the special tokens that the tokenizer puts before a text; with `chat`
// those of a conversation that it opens, up to where the assistant begins to answer. Throws kInput
// if they leave no room in the model's context, and what the model's chat template throws.
std::vector<int32_t> EncodePrompt(const std::string& prompt, bool chat,
                                  const std::filesystem::path& model,
                                  const text::Tokenizer& tokenizer,
                                  const model::Architecture& architecture);

// The tokens that generation_config.json, if there is one, says to end a text: models that converse
// end their turns by another token than documents. Throws kInput.
std::vector<int32_t> ReadEndTokens(const std::filesystem::path& model);

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_GENERATE_PROMPT_H_
