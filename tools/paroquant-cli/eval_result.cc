#include "eval_result.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>

#include "paroquant/base/printable.h"
#include "paroquant/base/quantity_text.h"
#include "paroquant/model/model_name.h"

namespace paroquant::cli {
namespace {

using eval::PerplexityResult;
using Json = nlohmann::ordered_json;

// A dataset's name, or that of a file.
std::string ShortName(const std::string& data) {
  return std::filesystem::path(data).filename().string();
}

// A single window says nothing about how windows differ.
std::optional<double> StandardError(const PerplexityResult& result,
                                    const eval::Measurement& measurement) {
  return result.windows > 1 ? std::optional(measurement.standard_error) : std::nullopt;
}

report::Estimate ToEstimate(const PerplexityResult& result, const eval::Measurement& measurement) {
  return {measurement.mean, StandardError(result, measurement)};
}

// The error is that of exp(NLL), to first order.
report::Estimate PerplexityOf(const PerplexityResult& result, const eval::Measurement& nll) {
  report::Estimate perplexity = ToEstimate(result, nll);
  perplexity.mean = std::exp(nll.mean);
  if (perplexity.standard_error) *perplexity.standard_error *= perplexity.mean;
  return perplexity;
}

Json ErrorJson(const PerplexityResult& result, const eval::Measurement& measurement) {
  const auto error = StandardError(result, measurement);
  return error ? Json(*error) : Json(nullptr);
}

// " +- 0.00123", or "" where nobody knows.
std::string ErrorText(const PerplexityResult& result, const eval::Measurement& measurement) {
  const auto error = StandardError(result, measurement);
  return error ? fmt::format(" +- {:.5f}", *error) : "";
}

Json ToJson(const DatasetResult& entry, const std::string& protocol) {
  const PerplexityResult& result = entry.result;
  Json json = {{"dataset", entry.dataset}, {"protocol", protocol},
               {"window", entry.window},   {"windows", result.windows},
               {"tokens", result.tokens},  {"perplexity", result.perplexity},
               {"nll", result.nll.mean},   {"nll_stderr", ErrorJson(result, result.nll)}};
  if (result.comparison) {
    const eval::Comparison& comparison = *result.comparison;
    json["kl_divergence"] = comparison.kl_divergence.mean;
    json["kl_divergence_stderr"] = ErrorJson(result, comparison.kl_divergence);
    json["top1_agreement"] = comparison.top1_agreement;
    json["delta_nll"] = comparison.delta_nll.mean;
    json["delta_nll_stderr"] = ErrorJson(result, comparison.delta_nll);
  }
  return json;
}

report::EvaluatedDataset ToReport(const DatasetResult& entry) {
  const PerplexityResult& result = entry.result;
  report::EvaluatedDataset dataset{.name = ShortName(entry.dataset),
                                   .windows = result.windows,
                                   .window = entry.window,
                                   .perplexity = PerplexityOf(result, result.nll),
                                   .divergence = {}};
  if (result.comparison) {
    const eval::Comparison& comparison = *result.comparison;
    dataset.divergence = {.kl = ToEstimate(result, comparison.kl_divergence),
                          .top1_agreement = comparison.top1_agreement,
                          .delta_nll = ToEstimate(result, comparison.delta_nll)};
  }
  return dataset;
}

// Of the baseline, as it was measured beside a model.
report::EvaluatedDataset BaselineReport(const DatasetResult& entry) {
  report::EvaluatedDataset dataset = ToReport(entry);
  dataset.perplexity = PerplexityOf(entry.result, entry.result.comparison->baseline_nll);
  dataset.divergence.reset();
  return dataset;
}

bool IsSameFolder(const std::string& a, const std::string& b) {
  std::error_code ignored;
  return std::filesystem::equivalent(a, b, ignored);
}

// Nothing where the baseline is one of the models, and so has its row.
std::optional<report::EvaluatedModel> BaselineRow(const std::vector<ModelResult>& results,
                                                  const Baseline& baseline) {
  for (const ModelResult& result : results) {
    if (IsSameFolder(result.model, baseline.model)) return std::nullopt;
  }
  report::EvaluatedModel model{.name = model::ModelName(baseline.model),
                               .bytes = baseline.size.bytes,
                               .bits_per_weight = baseline.size.bits_per_weight,
                               .datasets = {}};
  for (const DatasetResult& entry : results.front().datasets) {
    model.datasets.push_back(BaselineReport(entry));
  }
  return model;
}

pipeline::CardFigure ToFigure(const DatasetResult& entry, const std::string& protocol) {
  const PerplexityResult& result = entry.result;
  pipeline::CardFigure figure{.data = ShortName(entry.dataset),
                              .protocol = protocol,
                              .window = entry.window,
                              .windows = result.windows,
                              .perplexity = result.perplexity};
  if (result.comparison) {
    const eval::Comparison& comparison = *result.comparison;
    figure.baseline_perplexity = std::exp(comparison.baseline_nll.mean);
    figure.kl_divergence = comparison.kl_divergence.mean;
    figure.kl_divergence_stderr = StandardError(result, comparison.kl_divergence);
    figure.top1_agreement = comparison.top1_agreement;
  }
  return figure;
}

}  // namespace

std::vector<pipeline::CardFigure> ToFigures(const ModelResult& result,
                                            const std::string& protocol) {
  std::vector<pipeline::CardFigure> figures;
  for (const DatasetResult& entry : result.datasets) figures.push_back(ToFigure(entry, protocol));
  return figures;
}

Json ToJson(const ModelResult& result, const std::string& protocol) {
  Json datasets = Json::array();
  for (const DatasetResult& entry : result.datasets) datasets.push_back(ToJson(entry, protocol));
  return {{"model", result.model},
          {"results", datasets},
          {"seconds", result.seconds},
          {"tokens_per_second", result.TokensPerSecond()}};
}

Json ToJson(const std::vector<ModelResult>& results, const std::string& protocol,
            const std::string& baseline) {
  Json models = Json::array();
  for (const ModelResult& result : results) {
    Json& model = models.emplace_back(ToJson(result, protocol));
    model["stored_bytes"] = result.size.bytes;
    model["bits_per_weight"] = result.size.bits_per_weight;
  }
  return {{"models", models}, {"baseline", baseline.empty() ? Json(nullptr) : Json(baseline)}};
}

std::string ToText(const DatasetResult& entry) {
  const PerplexityResult& result = entry.result;
  std::string text = fmt::format("{}: {} of {} tokens\n", Printable(entry.dataset),
                                 Counted(result.windows, "window"), entry.window);
  text += fmt::format("  perplexity      {:.4f} (NLL {:.5f}{})\n", result.perplexity,
                      result.nll.mean, ErrorText(result, result.nll));
  if (!result.comparison) return text;
  const eval::Comparison& comparison = *result.comparison;
  text += fmt::format("  KL divergence   {:.5f}{}\n", comparison.kl_divergence.mean,
                      ErrorText(result, comparison.kl_divergence));
  text += fmt::format("  top-1 agreement {:.2f} %\n", 100.0 * comparison.top1_agreement);
  return text + fmt::format("  delta NLL       {:+.5f}{} (paired)\n", comparison.delta_nll.mean,
                            ErrorText(result, comparison.delta_nll));
}

report::EvaluationReport ToReport(const std::vector<ModelResult>& results,
                                  const std::string& protocol,
                                  const std::optional<Baseline>& baseline) {
  std::set<std::string> names;
  for (const ModelResult& result : results) names.insert(model::ModelName(result.model));
  const bool distinct = names.size() == results.size();
  report::EvaluationReport report{
      .baseline = "", .baseline_model = {}, .protocol = protocol, .models = {}, .commands = {}};
  if (baseline) {
    report.baseline = model::ModelName(baseline->model);
    report.baseline_model = BaselineRow(results, *baseline);
  }
  for (const ModelResult& result : results) {
    report::EvaluatedModel& model = report.models.emplace_back();
    model = {.name = distinct ? model::ModelName(result.model) : result.model,
             .bytes = result.size.bytes,
             .bits_per_weight = result.size.bits_per_weight,
             .tokens_per_second = result.TokensPerSecond(),
             .datasets = {}};
    for (const DatasetResult& entry : result.datasets) model.datasets.push_back(ToReport(entry));
  }
  return report;
}

}  // namespace paroquant::cli
