#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

#include "command.h"
#include "common_options.h"
#include "eval_result.h"
#include "option_facts.h"
#include "option_values.h"
#include "paroquant/base/error.h"
#include "paroquant/base/quantity_text.h"
#include "paroquant/base/stopwatch.h"
#include "paroquant/eval/evaluation_text.h"
#include "paroquant/eval/perplexity.h"
#include "paroquant/io/safetensors_writer.h"
#include "paroquant/model/model_name.h"
#include "paroquant/pipeline/card_figures.h"
#include "paroquant/pipeline/stored_size.h"
#include "paroquant/pipeline/unfinished_run.h"
#include "paroquant/report/evaluation_report.h"
#include "paroquant/runtime/language_model.h"
#include "report_option.h"
#include "result_file.h"
#include "standard_output.h"

namespace paroquant::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kUsualWindow = 2048;

struct EvalOptions {
  CommonOptions common;
  std::vector<std::string> models;
  ReportOption report;
  std::string baseline;
  std::vector<std::string> data;
  std::string data_dir;
  std::string protocol = "paper";
  std::string bos = "auto";
  std::string save_logits;
  bool card = false;
  int64_t window = kUsualWindow;
  int64_t stride = 0;
  int64_t max_windows = 0;
  uint64_t seed = 0;
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

// The windows of each dataset.
using Texts = std::vector<std::vector<eval::Window>>;

Texts LoadTexts(const EvalOptions& options, const runtime::LanguageModel& model) {
  Texts texts;
  for (const std::string& data : options.data) {
    texts.push_back(eval::LoadWindows(data, TextOptions(options, model)));
  }
  return texts;
}

bool SameTokens(const Texts& a, const Texts& b) {
  const auto same = [](const auto& x, const auto& y) {
    return std::ranges::equal(x, y, {}, &eval::Window::tokens, &eval::Window::tokens);
  };
  return std::ranges::equal(a, b, same);
}

// A page of text: figures of less tell of that text, and little of the model.
constexpr int64_t kFewTokens = 500;

// Where what will be measured is not what one would take it for.
void WarnOfWindows(const std::string& data, const std::vector<eval::Window>& windows,
                   const EvalOptions& options, int64_t positions) {
  const int64_t length = std::ssize(windows.front().tokens);
  int64_t scored = 0;
  for (const eval::Window& window : windows) {
    scored += std::ssize(window.tokens) - window.first_scored;
  }
  if (scored < kFewTokens) {
    spdlog::warn("{}: {} scored, which tell little of a model. Give a longer text.", data,
                 Counted(scored, "token"));
  }
  if (options.window != kUsualWindow && length < options.window) {
    spdlog::warn("--window {}: cut to the {} tokens that the {}.", options.window, length,
                 length == positions ? "model takes" : "text has");
  }
}

class Evaluation {
 public:
  explicit Evaluation(const EvalOptions& options)
      : options_(options), progress_(options.common.MakeProgress()) {}

  ModelResult Measure(const std::string& folder) {
    if (!baseline_ && !options_.baseline.empty()) {
      baseline_ = runtime::LanguageModel::Load(options_.baseline);
    }
    const Stopwatch watch;
    const auto model = runtime::LanguageModel::Load(folder);
    const Texts texts = LoadTexts(options_, model);
    if (!options_.save_logits.empty()) {
      SaveLogits(options_.save_logits, model, texts.front().front());
    }
    ModelResult result{
        .model = folder, .size = pipeline::MeasureStoredSize(model.checkpoint()), .datasets = {}};
    for (size_t i = 0; i < texts.size(); ++i) {
      result.datasets.push_back(Measure(model, options_.data[i], texts[i]));
      result.tokens += result.datasets.back().result.tokens;
    }
    result.seconds = watch.Seconds();
    RememberTokens(folder, texts);
    return result;
  }

  // Of what Measure has compared with; nothing without --baseline.
  std::optional<Baseline> ComparedWith() const {
    if (!baseline_) return std::nullopt;
    return Baseline{options_.baseline, pipeline::MeasureStoredSize(baseline_->checkpoint())};
  }

 private:
  DatasetResult Measure(const runtime::LanguageModel& model, const std::string& name,
                        const std::vector<eval::Window>& windows) {
    WarnOfWindows(name, windows, options_, model.architecture().max_positions);
    DatasetResult entry{.dataset = name,
                        .window = std::ssize(windows.front().tokens),
                        .result = eval::MeasurePerplexity(model, baseline_ ? &*baseline_ : nullptr,
                                                          windows, *progress_)};
    if (options_.common.ShowsText() && options_.models.size() == 1) PrintLines(ToText(entry));
    return entry;
  }

  void RememberTokens(const std::string& folder, const Texts& texts) {
    if (first_texts_.empty()) {
      first_texts_ = texts;
    } else if (!SameTokens(first_texts_, texts)) {
      spdlog::warn("{} reads other tokens than {}: their perplexities cannot be compared", folder,
                   options_.models.front());
    }
  }

  const EvalOptions& options_;
  std::unique_ptr<Progress> progress_;
  std::optional<runtime::LanguageModel> baseline_;
  Texts first_texts_;  // of the first model
};

// What can be known to be wrong before the work.
void RequireUsable(const EvalOptions& options) {
  RequireWritable("--save-logits", options.save_logits);
  options.report.RequireUsable();
  for (const std::string& folder : options.models) pipeline::RequireFinished(folder);
  if (!options.baseline.empty()) pipeline::RequireFinished(options.baseline);
  if (options.models.size() == 1) return;
  if (!options.save_logits.empty()) {
    throw Error(ErrorKind::kUsage, {.where = "--save-logits",
                                    .expected = "one --model",
                                    .found = fmt::format("{}", options.models.size()),
                                    .hint = "Save those of each model in a run of its own."});
  }
  for (const std::string& folder : options.models) model::Checkpoint::Open(folder);
}

std::filesystem::path CardPath(const std::string& model) {
  return std::filesystem::path(model) / pipeline::kModelCard;
}

// The models whose cards figures go into; none without --card. Throws if one has no place for them.
std::vector<std::string> ModelsWithCards(const EvalOptions& options) {
  if (!options.card) return {};
  for (const std::string& model : options.models) {
    pipeline::ReadCard(model);
    RequireWritable("--card", CardPath(model).string());
  }
  return options.models;
}

int RunEvalPpl(const EvalOptions& options, const CLI::App& app) {
  options.common.Apply();
  RequireUsable(options);
  const std::vector<std::string> carded = ModelsWithCards(options);
  Evaluation evaluation(options);
  std::vector<ModelResult> results;
  for (const std::string& folder : options.models) results.push_back(evaluation.Measure(folder));

  report::EvaluationReport report = ToReport(results, options.protocol, evaluation.ComparedWith());
  report.commands = {CommandText(app)};
  const ModelResult& first = results.front();
  const bool several = results.size() > 1;
  if (options.common.ShowsText()) {
    PrintLines(several ? report::ToText(report)
                       : fmt::format("{} tokens in {}, {:.0f} tokens/s\n", first.tokens,
                                     Duration(first.seconds), first.TokensPerSecond()));
  }
  const Json json = several ? ToJson(results, options.protocol, options.baseline)
                            : ToJson(first, options.protocol);
  options.report.Write(json, [&] { return report::ToHtml(report); });
  const std::string baseline = options.baseline.empty() ? "" : model::ModelName(options.baseline);
  for (size_t i = 0; i < carded.size(); ++i) {
    // Read again: an evaluation takes long enough for somebody to edit it meanwhile.
    WriteResultText(CardPath(carded[i]).string(),
                    pipeline::WithFigures(pipeline::ReadCard(carded[i]),
                                          ToFigures(results[i], options.protocol), baseline));
  }
  options.common.WriteJson(json);
  return 0;
}

}  // namespace

Run DeclareEvalPpl(CLI::App& app) {
  const auto options = std::make_shared<EvalOptions>();
  AddPaths(app, "--model", options->models,
           "model folder, 16-bit or quantized; several are compared")
      ->required()
      ->type_name("DIR");
  AddPath(app, "--baseline", options->baseline,
          "also measure KL divergence and top-1 agreement against this model")
      ->type_name("DIR");
  app.add_option("--data", options->data,
                 "a known text, a file of text, or a .json of token ids (repeatable)")
      ->required()
      ->type_name("wikitext2|c4|FILE");
  AddPath(app, "--data-dir", options->data_dir,
          "where wikitext2 and c4 lie (default: $PAROQUANT_DATA)")
      ->type_name("DIR");
  AddInteger(app, "--window", options->window, {2, kMostTokens},
             "tokens a window, never over the model's")
      ->default_str(fmt::format("{}", options->window));
  AddInteger(app, "--stride", options->stride, {1, kMostTokens},
             "tokens between windows' starts (default: the window)")
      ->group(kMoreOptions);
  AddInteger(app, "--max-windows", options->max_windows, {1, kMostTokens},
             "stop after this many windows");
  AddChoice(app, "--bos", options->bos, {"auto", "always", "never"}, "BOS at each window's start")
      ->group(kMoreOptions);
  AddChoice(app, "--protocol", options->protocol, {"paper", "llama.cpp", "paper-c4"},
            "how windows are cut and scored");
  AddInteger(app, "--seed", options->seed, kAnySeed, "of paper-c4's random crops")
      ->default_str("0")
      ->group(kMoreOptions);
  AddPath(app, "--save-logits", options->save_logits,
          "keep the first window's logits (F32 [T, V]) as safetensors")
      ->type_name("FILE")
      ->group(kMoreOptions);
  options->report.Declare(app);
  app.add_flag("--card", options->card,
               "put the figures into the model's README.md, in the place of earlier ones");
  options->common.Declare(app);
  return [options, &app] { return RunEvalPpl(*options, app); };
}

}  // namespace paroquant::cli
