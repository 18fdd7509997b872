#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "command.h"
#include "common_options.h"
#include "inspect_page.h"
#include "option_values.h"
#include "paroquant/base/folder.h"
#include "paroquant/base/quantity_text.h"
#include "paroquant/base/text_table.h"
#include "paroquant/pipeline/inspect.h"
#include "paroquant/pipeline/unfinished_run.h"
#include "report_option.h"
#include "standard_output.h"
#include "status_watch.h"

namespace paroquant::cli {
namespace {

using Json = nlohmann::ordered_json;
using pipeline::Inspection;
using pipeline::LayerInspection;
using pipeline::UnfinishedRun;

struct InspectOptions {
  CommonOptions common;
  std::string model;
  bool outliers = false;
  ReportOption report;
};

// The layers that rounding to nearest would lose most of first.
void PrintOutliers(const Inspection& result) {
  std::vector<const LayerInspection*> layers;
  for (const LayerInspection& layer : result.layers) {
    if (layer.statistics) layers.push_back(&layer);
  }
  std::ranges::stable_sort(layers, std::greater<>(), [](const LayerInspection* layer) {
    return layer->statistics->outliers->group_range;
  });
  if (layers.empty()) {
    PrintLine("no outliers to tell: the layers are packed, see --outliers of the source");
    return;
  }
  TextTable table;
  table.Add({"widest groups first", "range/rms"});
  for (const LayerInspection* layer : layers) {
    table.Add(
        {layer->plan.info.name, fmt::format("{:.2f}", layer->statistics->outliers->group_range)});
  }
  PrintTable(table);
}

// Packed layers have no statistics.
TextTable LayerTable(const std::vector<LayerInspection>& layers) {
  const bool measured = std::ranges::any_of(
      layers, [](const LayerInspection& layer) { return layer.statistics.has_value(); });
  std::vector<std::string> titles = {"layer", "shape"};
  if (measured) titles.insert(titles.end(), {"max/rms", "kurtosis", "spread"});
  const size_t columns = titles.size();
  TextTable table;
  table.Add(std::move(titles));
  for (const LayerInspection& layer : layers) {
    const model::LinearInfo& info = layer.plan.info;
    std::vector<std::string> cells = {info.name,
                                      fmt::format("{} x {}", info.out_features, info.in_features)};
    if (layer.statistics) {
      cells.push_back(fmt::format("{:.1f}", layer.statistics->max_over_rms));
      cells.push_back(fmt::format("{:.2f}", layer.statistics->kurtosis));
      cells.push_back(fmt::format("{:.1f}", layer.statistics->channel_spread));
    }
    cells.resize(columns);
    table.Add(std::move(cells), Fate(layer));
  }
  return table;
}

void Print(const std::string& model, const Inspection& result) {
  const model::Architecture& a = result.architecture;
  PrintLine("{}", model);
  PrintLine("  {}: {}, hidden {}, MLP {}, {} of {} ({} key/value), vocabulary {}{}", a.model_type,
            Counted(a.layers, "block"), a.hidden_size, a.intermediate_size,
            Counted(a.heads, "head"), a.head_dim, a.kv_heads, a.vocab_size,
            a.tied_embeddings ? ", tied head" : "");
  PrintLine("  {} tensors, {:.1f} M parameters, {}", result.tensors,
            static_cast<double>(result.parameters) / 1e6, ByteCount(result.stored_bytes));
  if (a.experts.count > 0) {
    PrintLine("  {} experts of MLP {}, {} for each token", a.experts.count,
              a.experts.intermediate_size, a.experts.per_token);
  }
  if (result.quantization) {
    const format::QuantizationConfig& config = *result.quantization;
    const bool rows = config.group_size == format::kWholeRows;
    PrintLine("  {}, {} bit, groups of {}{}", FormatName(config.format), config.bits,
              rows ? "whole rows" : fmt::to_string(config.group_size),
              config.format == format::FormatKind::kParoquant
                  ? ", " + Counted(config.rotations, "rotation")
                  : "");
  }
  PrintTable(LayerTable(result.layers));
}

Json LayerJson(const LayerInspection& layer) {
  const pipeline::LayerPlan& plan = layer.plan;
  Json json = {{"name", plan.info.name},
               {"shape", {plan.info.out_features, plan.info.in_features}},
               {"stored_bytes", layer.stored_bytes},
               {"packed", layer.packed},
               {"would_be_quantized", !layer.packed && plan.quantized},
               {"reason", plan.reason}};
  if (layer.packed) {
    json["bits"] = plan.bits;
    json["group_size"] = plan.group_size;
  }
  if (layer.statistics) {
    json["rms"] = layer.statistics->rms;
    json["max_over_rms"] = layer.statistics->max_over_rms;
    json["kurtosis"] = layer.statistics->kurtosis;
    json["channel_spread"] = layer.statistics->channel_spread;
    if (const auto& outliers = layer.statistics->outliers) {
      json["group_range"] = outliers->group_range;
      json["outliers"] = {{"weights", outliers->weights}, {"channels", outliers->channels}};
    }
  }
  return json;
}

Json ToJson(const std::string& model, const Inspection& result) {
  const model::Architecture& a = result.architecture;
  Json layers = Json::array();
  for (const LayerInspection& layer : result.layers) layers.push_back(LayerJson(layer));
  Json quantization = nullptr;
  if (result.quantization) {
    const format::QuantizationConfig& config = *result.quantization;
    const bool rotates = config.format == format::FormatKind::kParoquant;
    quantization = {{"format", FormatName(config.format)},
                    {"bits", config.bits},
                    {"group_size", config.group_size},
                    {"rotations", rotates ? config.rotations : 0}};
  }
  return {{"model", model},
          {"architecture",
           {{"model_type", a.model_type},
            {"layers", a.layers},
            {"hidden_size", a.hidden_size},
            {"intermediate_size", a.intermediate_size},
            {"heads", a.heads},
            {"kv_heads", a.kv_heads},
            {"head_dim", a.head_dim},
            {"vocab_size", a.vocab_size},
            {"max_positions", a.max_positions},
            {"tied_embeddings", a.tied_embeddings},
            {"experts", a.experts.count}}},
          {"quantization", quantization},
          {"files", result.files},
          {"tensors", result.tensors},
          {"parameters", result.parameters},
          {"stored_bytes", result.stored_bytes},
          {"layers", layers}};
}

// "none", "self", or the names of files, each with its size and checksum.
std::string CalibrationText(const Json& calibration) {
  std::vector<std::string> texts;
  for (const Json& text : calibration.is_array() ? calibration : Json::array({calibration})) {
    texts.push_back(text.is_string() ? text.get<std::string>() : text.dump());
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

void Print(const std::string& folder, const UnfinishedRun& run) {
  PrintLine("{}: {}", folder, Describe(run));
  if (!run.problem.empty()) {
    PrintLine("  {}", run.problem);
    return;
  }
  const Json& settings = run.fingerprint.at("settings");
  PrintLine("  of {}, recipe {}, {} bit, groups of {}, calibration {}, seed {}", run.model,
            run.fingerprint.at("recipe").get<std::string>(), settings.at("bits").get<int>(),
            settings.at("group_size").get<int>(),
            CalibrationText(run.fingerprint.value("calibration", Json())),
            run.fingerprint.at("seed").get<uint64_t>());
  if (!run.command.empty()) PrintLine("  its command, with other paths: {}", run.command);
}

int RunInspect(const InspectOptions& options, const CLI::App& app) {
  options.common.Apply();
  options.report.RequireUsable();
  const StatusWatch watch;
  const std::optional<UnfinishedRun> run = pipeline::FindUnfinishedRun(options.model);
  if (run && options.common.ShowsText()) Print(options.model, *run);
  Json json = {{"model", options.model}};
  std::function<std::string()> page;
  // An old model stays in place until the run that replaces it is at its end.
  if (!run || Exists(std::filesystem::path(options.model) / model::kConfigFile)) {
    const bool counts = options.outliers || options.report.WantsPage();
    const Inspection result = pipeline::Inspect(options.model, {.counts_outliers = counts});
    if (options.common.ShowsText()) Print(options.model, result);
    if (options.common.ShowsText() && options.outliers) PrintOutliers(result);
    json = ToJson(options.model, result);
    page = [result, &options, &app] {
      return InspectPage(options.model, result, CommandText(app));
    };
  } else {
    options.report.RefusePages("an unfinished run");
  }
  json["unfinished_run"] = run ? ToJson(*run) : Json(nullptr);
  options.report.Write(json, page);
  options.common.WriteJson(json);
  return 0;
}

}  // namespace

Run DeclareInspect(CLI::App& app) {
  const auto options = std::make_shared<InspectOptions>();
  AddPath(app, "--model", options->model,
          "model folder, 16-bit or quantized, or one of an unfinished run")
      ->required()
      ->type_name("DIR");
  app.add_flag("--outliers", options->outliers,
               "also how far weights stick out of their groups, the widest groups first");
  options->report.Declare(app);
  options->common.Declare(app);
  return [options, &app] { return RunInspect(*options, app); };
}

}  // namespace paroquant::cli
