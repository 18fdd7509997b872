#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "command.h"
#include "common_options.h"
#include "option_values.h"
#include "paroquant/base/stopwatch.h"
#include "paroquant/eval/evaluation_text.h"
#include "paroquant/eval/perplexity.h"
#include "paroquant/io/safetensors_writer.h"
#include "paroquant/runtime/language_model.h"
#include "result_file.h"

namespace paroquant::cli {
namespace {

using eval::PerplexityResult;
using Json = nlohmann::ordered_json;

constexpr uint64_t kMostTokens = uint64_t{1} << 40;

struct EvalOptions {
  CommonOptions common;
  std::string model;
  std::string baseline;
  std::vector<std::string> data;
  std::string data_dir;
  std::string protocol = "paper";
  std::string bos = "auto";
  std::string save_logits;
  int64_t window = 2048;
  int64_t stride = 0;
  int64_t max_windows = 0;
  uint64_t seed = 0;
};

struct DatasetResult {
  std::string dataset;
  int64_t window = 0;
  PerplexityResult result;
};

eval::BosUse ParseBos(const std::string& bos) {
  if (bos == "always") return eval::BosUse::kAlways;
  return bos == "never" ? eval::BosUse::kNever : eval::BosUse::kAuto;
}

std::string DataDir(const EvalOptions& options) {
  if (!options.data_dir.empty()) return options.data_dir;
  const char* from_environment = std::getenv("PAROQUANT_DATA");
  return from_environment != nullptr ? from_environment : "";
}

eval::EvaluationTextOptions TextOptions(const EvalOptions& options,
                                        const runtime::LanguageModel& model) {
  return {.protocol = eval::ProtocolFromName(options.protocol),
          .window = options.window,
          .stride = options.stride,
          .max_windows = options.max_windows,
          .bos = ParseBos(options.bos),
          .max_positions = model.architecture().max_positions,
          .vocab_size = model.architecture().vocab_size,
          .bos_token_id = model.architecture().bos_token_id,
          .tokenizer_json = model.checkpoint().folder() / "tokenizer.json",
          .data_dir = DataDir(options),
          .seed = options.seed};
}

void SaveLogits(const std::string& path, const runtime::LanguageModel& model,
                const eval::Window& window) {
  const Matrix logits = eval::WindowLogits(model, window.tokens);
  const io::TensorSpec spec{"logits", io::DType::kF32, {logits.rows(), logits.cols()}};
  WriteResultFile(path, [&](const std::filesystem::path& file) {
    io::WriteSafetensorsFile(
        file, spec, std::as_bytes(std::span(logits.data(), static_cast<size_t>(logits.size()))));
  });
}

// A single window says nothing about how windows differ.
Json StandardError(const PerplexityResult& result, const eval::Measurement& measurement) {
  return result.windows > 1 ? Json(measurement.standard_error) : Json(nullptr);
}

std::string ShownError(const PerplexityResult& result, const eval::Measurement& measurement) {
  return result.windows > 1 ? fmt::format("{:.5f}", measurement.standard_error) : "-";
}

Json ToJson(const DatasetResult& entry, const std::string& protocol) {
  const PerplexityResult& result = entry.result;
  Json json = {{"dataset", entry.dataset}, {"protocol", protocol},
               {"window", entry.window},   {"windows", result.windows},
               {"tokens", result.tokens},  {"perplexity", result.perplexity},
               {"nll", result.nll.mean},   {"nll_stderr", StandardError(result, result.nll)}};
  if (result.comparison) {
    const eval::Comparison& comparison = *result.comparison;
    json["kl_divergence"] = comparison.kl_divergence.mean;
    json["kl_divergence_stderr"] = StandardError(result, comparison.kl_divergence);
    json["top1_agreement"] = comparison.top1_agreement;
    json["delta_nll"] = comparison.delta_nll.mean;
    json["delta_nll_stderr"] = StandardError(result, comparison.delta_nll);
  }
  return json;
}

void Print(const DatasetResult& entry) {
  const PerplexityResult& result = entry.result;
  std::cout << fmt::format("{}: {} windows of {} tokens\n", entry.dataset, result.windows,
                           entry.window);
  std::cout << fmt::format("  perplexity      {:.4f}   (NLL {:.5f} +- {})\n", result.perplexity,
                           result.nll.mean, ShownError(result, result.nll));
  if (!result.comparison) return;
  const eval::Comparison& comparison = *result.comparison;
  std::cout << fmt::format("  KL divergence   {:.5f}   (+- {})\n", comparison.kl_divergence.mean,
                           ShownError(result, comparison.kl_divergence));
  std::cout << fmt::format("  top-1 agreement {:.2f} %\n", 100.0 * comparison.top1_agreement);
  std::cout << fmt::format("  delta NLL       {:+.5f}  (+- {}, paired)\n",
                           comparison.delta_nll.mean, ShownError(result, comparison.delta_nll));
}

int RunEvalPpl(const EvalOptions& options) {
  options.common.Apply();
  RequireWritable("--save-logits", options.save_logits);
  const Stopwatch watch;
  const auto model = runtime::LanguageModel::Load(options.model);
  std::optional<runtime::LanguageModel> baseline;
  if (!options.baseline.empty()) baseline = runtime::LanguageModel::Load(options.baseline);
  const eval::EvaluationTextOptions text_options = TextOptions(options, model);

  const auto progress = options.common.MakeProgress();
  Json results = Json::array();
  int64_t tokens = 0;
  for (const std::string& data : options.data) {
    const std::vector<eval::Window> windows = eval::LoadWindows(data, text_options);
    if (!options.save_logits.empty() && &data == &options.data.front()) {
      SaveLogits(options.save_logits, model, windows.front());
    }
    const DatasetResult entry{.dataset = data,
                              .window = static_cast<int64_t>(windows.front().tokens.size()),
                              .result = eval::MeasurePerplexity(
                                  model, baseline ? &*baseline : nullptr, windows, *progress)};
    tokens += entry.result.tokens;
    results.push_back(ToJson(entry, options.protocol));
    if (options.common.ShowsText()) Print(entry);
  }
  const double seconds = watch.Seconds();
  const double rate = static_cast<double>(tokens) / seconds;
  if (options.common.ShowsText()) {
    std::cout << fmt::format("{} tokens in {:.1f} s, {:.0f} tokens/s\n", tokens, seconds, rate);
  }
  options.common.WriteJson({{"model", options.model},
                            {"results", results},
                            {"seconds", seconds},
                            {"tokens_per_second", rate}});
  return 0;
}

}  // namespace

Run DeclareEvalPpl(CLI::App& app) {
  const auto options = std::make_shared<EvalOptions>();
  AddPath(app, "--model", options->model, "model folder, 16-bit or paroquant")
      ->required()
      ->type_name("DIR");
  AddPath(app, "--baseline", options->baseline,
          "also measure KL divergence and top-1 agreement against this model")
      ->type_name("DIR");
  app.add_option("--data", options->data,
                 "wikitext2, c4, a text file, or a .json of token ids (repeatable)")
      ->required()
      ->type_name("NAME|FILE");
  AddPath(app, "--data-dir", options->data_dir,
          "where wikitext2 and c4 lie (default: $PAROQUANT_DATA)")
      ->type_name("DIR");
  AddInteger(app, "--window", options->window, {2, kMostTokens},
             "tokens a window, never over the model's")
      ->default_str(fmt::format("{}", options->window));
  AddInteger(app, "--stride", options->stride, {1, kMostTokens},
             "tokens between windows' starts (default: the window)");
  AddInteger(app, "--max-windows", options->max_windows, {1, kMostTokens},
             "stop after this many windows");
  AddChoice(app, "--bos", options->bos, {"auto", "always", "never"},
            "BOS at each window's start: auto, always or never");
  AddChoice(app, "--protocol", options->protocol, {"paper", "llama.cpp", "paper-c4"},
            "paper, llama.cpp or paper-c4");
  AddInteger(app, "--seed", options->seed, kAnySeed, "of paper-c4's random crops")
      ->default_str("0");
  AddPath(app, "--save-logits", options->save_logits,
          "keep the first window's logits (F32 [T, V]) as safetensors")
      ->type_name("FILE");
  options->common.Declare(app);
  return [options] { return RunEvalPpl(*options); };
}

}  // namespace paroquant::cli
