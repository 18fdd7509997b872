#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "command.h"
#include "common_options.h"
#include "option_values.h"
#include "paroquant/base/error.h"
#include "paroquant/runtime/language_model.h"
#include "paroquant/runtime/sampler.h"
#include "paroquant/text/tokenizer.h"

namespace paroquant::cli {
namespace {

constexpr uint64_t kMostTokens = uint64_t{1} << 40;

struct GenerateOptions {
  CommonOptions common;
  std::string model;
  std::string prompt;
  int64_t max_tokens = 64;
  double temperature = 0.0;
  uint64_t seed = 0;
};

// The prompt's ids, with the special tokens that the model's template puts before a text.
std::vector<int32_t> EncodePrompt(const GenerateOptions& options, const text::Tokenizer& tokenizer,
                                  const model::Architecture& architecture) {
  std::vector<int32_t> ids = tokenizer.Encode(options.prompt, /*add_special_tokens=*/true);
  if (ids.empty() && architecture.bos_token_id) ids.push_back(*architecture.bos_token_id);
  // Templates may close a text, too, but this one goes on.
  const auto& eos = architecture.eos_token_ids;
  if (ids.size() > 1 && std::find(eos.begin(), eos.end(), ids.back()) != eos.end()) ids.pop_back();
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

int RunGenerate(const GenerateOptions& options) {
  options.common.Apply();
  RequireTextOption("--prompt", options.prompt);
  const auto model = runtime::LanguageModel::Load(options.model);
  const model::Architecture& architecture = model.architecture();
  const auto tokenizer =
      text::Tokenizer::Load(std::filesystem::path(options.model) / "tokenizer.json");
  std::vector<int32_t> ids = EncodePrompt(options, tokenizer, architecture);
  const auto prompt_length = static_cast<int64_t>(ids.size());
  const int64_t length =
      prompt_length + std::min(options.max_tokens, architecture.max_positions - prompt_length);

  // A token may be a part of a character; what is shown grows by whole texts.
  std::string shown = options.prompt;
  if (options.common.ShowsText()) std::cout << shown << std::flush;
  const size_t prefix = tokenizer.Decode(ids, /*skip_special_tokens=*/true).size();
  std::string text;
  const auto on_token = [&](int32_t id) {
    ids.push_back(id);
    const std::string whole = tokenizer.Decode(ids, /*skip_special_tokens=*/true);
    const bool complete = !whole.ends_with("\xEF\xBF\xBD");
    if (!complete || whole.size() < prefix + text.size()) return;
    const std::string added = whole.substr(prefix + text.size());
    if (options.common.ShowsText()) std::cout << added << std::flush;
    text += added;
  };
  runtime::Generate(model, ids, length, {.temperature = options.temperature, .seed = options.seed},
                    on_token);
  if (options.common.ShowsText()) std::cout << "\n";
  options.common.WriteJson({{"model", options.model},
                            {"prompt", options.prompt},
                            {"text", text},
                            {"ids", std::vector<int32_t>(ids.begin() + prompt_length, ids.end())}});
  return 0;
}

}  // namespace

Run DeclareGenerate(CLI::App& app) {
  const auto options = std::make_shared<GenerateOptions>();
  AddPath(app, "--model", options->model, "model folder, 16-bit or paroquant")
      ->required()
      ->type_name("DIR");
  app.add_option("--prompt", options->prompt, "the text to go on from")->required();
  AddInteger(app, "--max-tokens", options->max_tokens, {1, kMostTokens}, "tokens to add at most")
      ->default_str(fmt::format("{}", options->max_tokens));
  const auto read_temperature = [options](const std::string& text) {
    options->temperature = ParseNumber("--temperature", text);
  };
  app.add_option_function<std::string>("--temperature", read_temperature,
                                       "0: always the likeliest token")
      ->type_name("T")
      ->default_str("0");
  AddInteger(app, "--seed", options->seed, kAnySeed, "of the random choices")->default_str("0");
  options->common.Declare(app);
  return [options] { return RunGenerate(*options); };
}

}  // namespace paroquant::cli
