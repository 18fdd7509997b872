#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <string_view>

#include "command.h"
#include "common_options.h"
#include "generate_prompt.h"
#include "option_values.h"
#include "paroquant/base/error.h"
#include "paroquant/base/quantity_text.h"
#include "paroquant/model/model_name.h"
#include "paroquant/pipeline/unfinished_run.h"
#include "paroquant/runtime/language_model.h"
#include "paroquant/runtime/sampler.h"
#include "paroquant/text/text_stream.h"
#include "paroquant/text/tokenizer.h"
#include "standard_output.h"
#include "status_watch.h"
#include "text_layout.h"

namespace paroquant::cli {
namespace {

struct GenerateOptions {
  CommonOptions common;
  std::string model;
  std::string baseline;
  std::string prompt;
  bool chat = false;
  int64_t max_tokens = 64;
  runtime::GenerateOptions sampling;
};

struct Continuation {
  std::string text;
  std::vector<int32_t> ids;
  std::string_view stopped_by;
};

constexpr std::string_view kEndToken = "end_token";
constexpr std::string_view kMaxTokens = "max_tokens";
constexpr std::string_view kContext = "context";  // the model's positions

void RequireSensibleSampling(const runtime::GenerateOptions& sampling) {
  if (sampling.top_p == 1.0 || sampling.temperature > 0.0) return;
  throw Error(ErrorKind::kUsage, {.where = "--top-p",
                                  .expected = "a --temperature above 0 beside it",
                                  .found = "temperature 0, which always takes the likeliest token",
                                  .hint = "Add --temperature 1, or leave --top-p out."});
}

// What the model says behind `prompt`, shown as it comes if `shown`.
Continuation Continue(const runtime::LanguageModel& model, const text::Tokenizer& tokenizer,
                      const std::vector<int32_t>& prompt, const GenerateOptions& options,
                      bool shown) {
  const auto start = static_cast<int64_t>(prompt.size());
  const int64_t room = model.architecture().max_positions - start;
  const int64_t length = start + std::min(options.max_tokens, room);
  Continuation continuation;
  text::TextStream stream(tokenizer, prompt);
  const auto append = [&](const std::string& text) {
    continuation.text += text;
    if (!shown) return;
    std::cout << text;
    RequireOutputTaken();
  };
  runtime::Generate(model, prompt, length, options.sampling, [&](int32_t id) {
    continuation.ids.push_back(id);
    append(stream.Add(id));
  });
  append(stream.Finish());
  if (std::ssize(continuation.ids) < length - start) {
    continuation.stopped_by = kEndToken;
  } else {
    continuation.stopped_by = room < options.max_tokens ? kContext : kMaxTokens;
  }
  return continuation;
}

void WarnOfFullContext(const std::string& folder, const Continuation& continuation,
                       const runtime::LanguageModel& model, int64_t max_tokens) {
  if (continuation.stopped_by != kContext) return;
  spdlog::warn("{}: stopped after {} of {} tokens, as the model has no more than {} positions",
               folder, continuation.ids.size(), max_tokens, model.architecture().max_positions);
}

// The first place at which they have not the same token; nullopt if there is none.
std::optional<int64_t> FirstDifference(const Continuation& one, const Continuation& other) {
  const auto [left, right] = std::ranges::mismatch(one.ids, other.ids);
  if (left == one.ids.end() && right == other.ids.end()) return std::nullopt;
  return left - one.ids.begin();
}

// The token at `place` as text, in quotes, or that there is none.
std::string TokenAt(const Continuation& continuation, int64_t place,
                    const text::Tokenizer& tokenizer) {
  if (place >= std::ssize(continuation.ids)) return "the end";
  const int32_t id = continuation.ids[static_cast<size_t>(place)];
  const std::string text =
      tokenizer.Decode(std::vector<int32_t>{id}, /*skip_special_tokens=*/false);
  return fmt::format("\"{}\" ({})", text, id);
}

// What a model says from `place` on, under its name.
std::string TextFrom(const std::string& name, const Continuation& continuation, int64_t place,
                     const text::Tokenizer& tokenizer) {
  const std::vector<int32_t> rest(continuation.ids.begin() + place, continuation.ids.end());
  return name + ":\n" + tokenizer.Decode(rest, /*skip_special_tokens=*/false);
}

// Of a sentence that goes on with the first token that differs.
std::string SameStart(int64_t tokens) {
  if (tokens == 0) return "They part at once:";
  if (tokens == 1) return "The first token is the same; then";
  return fmt::format("The first {} tokens are the same; then", tokens);
}

void PrintComparison(const Continuation& ours, const Continuation& theirs,
                     const text::Tokenizer& tokenizer, const GenerateOptions& options) {
  const std::optional<int64_t> place = FirstDifference(ours, theirs);
  if (!place) {
    PrintLine("All {} are the same.", Counted(std::ssize(ours.ids), "token"));
    return;
  }
  PrintLine("{} {}, where the baseline has {}.", SameStart(*place),
            TokenAt(ours, *place, tokenizer), TokenAt(theirs, *place, tokenizer));
  const std::string name = model::ModelName(options.model);
  const std::string other = model::ModelName(options.baseline);
  const bool alike = name == other;
  PrintTable(SideBySide(TextFrom(alike ? options.model : name, ours, *place, tokenizer),
                        TextFrom(alike ? options.baseline : other, theirs, *place, tokenizer),
                        OutputColumns()));
}

runtime::LanguageModel LoadBaseline(const std::string& folder,
                                    const runtime::LanguageModel& model) {
  auto baseline = runtime::LanguageModel::Load(folder);
  const int64_t expected = model.architecture().vocab_size;
  if (baseline.architecture().vocab_size == expected) return baseline;
  throw Error(ErrorKind::kInput,
              {.where = folder,
               .expected = fmt::format("the model's vocabulary of {} tokens", expected),
               .found = fmt::format("{}", baseline.architecture().vocab_size),
               .hint = "The baseline should be the model that was quantized."});
}

int RunGenerate(GenerateOptions options) {
  options.common.Apply();
  const StatusWatch watch;
  RequireTextOption("--prompt", options.prompt);
  RequireSensibleSampling(options.sampling);
  pipeline::RequireFinished(options.model);
  if (!options.baseline.empty()) pipeline::RequireFinished(options.baseline);
  const auto model = runtime::LanguageModel::Load(options.model);
  std::optional<runtime::LanguageModel> baseline;
  if (!options.baseline.empty()) baseline = LoadBaseline(options.baseline, model);
  const auto tokenizer =
      text::Tokenizer::Load(std::filesystem::path(options.model) / "tokenizer.json");
  const std::vector<int32_t> prompt =
      EncodePrompt(options.prompt, options.chat, options.model, tokenizer, model.architecture());
  options.sampling.end_ids = ReadEndTokens(options.model);

  const bool shown = options.common.ShowsText();
  // An answer stands for itself.
  if (shown && !options.chat) std::cout << options.prompt << std::flush;
  const Continuation ours = Continue(model, tokenizer, prompt, options, shown);
  if (shown) std::cout << "\n" << std::flush;
  WarnOfFullContext(options.model, ours, model, options.max_tokens);
  nlohmann::ordered_json result = {{"model", options.model},
                                   {"prompt", options.prompt},
                                   {"text", ours.text},
                                   {"ids", ours.ids},
                                   {"stopped_by", ours.stopped_by}};
  if (baseline) {
    const Continuation theirs = Continue(*baseline, tokenizer, prompt, options, /*shown=*/false);
    if (shown) {
      std::cout << "\n";
      PrintComparison(ours, theirs, tokenizer, options);
    }
    WarnOfFullContext(options.baseline, theirs, *baseline, options.max_tokens);
    result["baseline"] = {{"model", options.baseline},
                          {"text", theirs.text},
                          {"ids", theirs.ids},
                          {"stopped_by", theirs.stopped_by}};
    const std::optional<int64_t> place = FirstDifference(ours, theirs);
    result["first_difference"] = place ? nlohmann::ordered_json(*place) : nullptr;
  }
  options.common.WriteJson(result);
  return 0;
}

void DeclareSampling(CLI::App& app, runtime::GenerateOptions& sampling) {
  const auto read_temperature = [&sampling](const std::string& text) {
    sampling.temperature = ParseNumber("--temperature", text);
  };
  app.add_option_function<std::string>("--temperature", read_temperature,
                                       "0: always the likeliest token")
      ->type_name("T")
      ->default_str("0");
  const auto read_top_p = [&sampling](const std::string& text) {
    sampling.top_p = ParseShare("--top-p", text);
  };
  app.add_option_function<std::string>("--top-p", read_top_p,
                                       "draw from the likeliest tokens that have this share in all")
      ->type_name("P")
      ->default_str("1");
  AddInteger(app, "--seed", sampling.seed, kAnySeed, "of the random choices")->default_str("0");
}

}  // namespace

Run DeclareGenerate(CLI::App& app) {
  const auto options = std::make_shared<GenerateOptions>();
  AddPath(app, "--model", options->model, "model folder, 16-bit or quantized")
      ->required()
      ->type_name("DIR");
  app.add_option("--prompt", options->prompt, "the text to go on from")
      ->required()
      ->type_name("TEXT");
  app.add_flag("--chat", options->chat,
               "the prompt is a user's message, put into the model's chat template");
  AddPath(app, "--baseline", options->baseline,
          "also what this model says, side by side from where the texts part")
      ->type_name("DIR");
  AddInteger(app, "--max-tokens", options->max_tokens, {1, kMostTokens}, "tokens to add at most")
      ->default_str(fmt::format("{}", options->max_tokens));
  DeclareSampling(app, options->sampling);
  options->common.Declare(app);
  return [options] { return RunGenerate(*options); };
}

}  // namespace paroquant::cli
