#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "common_options.h"
#include "option_facts.h"
#include "option_values.h"
#include "override_option.h"
#include "paroquant/base/error.h"
#include "paroquant/base/quantity_text.h"
#include "paroquant/base/text_table.h"
#include "paroquant/method/recipe.h"
#include "paroquant/pipeline/engine_rules.h"
#include "paroquant/pipeline/priced_plan.h"
#include "paroquant/pipeline/quantize.h"
#include "plan_text.h"
#include "quantize_page.h"
#include "report_option.h"
#include "standard_output.h"
#include "status_watch.h"

namespace paroquant::cli {
namespace {

using pipeline::LayerReport;
using pipeline::QuantizeSummary;

// An option of its own for a recipe's key that is often set.
struct RecipeOption {
  const char* name;
  const char* key;
  const char* help;
  bool is_common;  // shown by --help
  std::optional<int64_t> value;
};

struct QuantizeArguments {
  CommonOptions common;
  pipeline::QuantizeOptions options;
  std::string model;
  std::string out;
  std::string recipe = "fast";
  std::string format = "paroquant";
  std::vector<std::string> overrides;
  ReportOption report;
  std::vector<std::string> settings;
  std::vector<RecipeOption> recipe_options;
  bool plan = false;
};

// The recipe, changed by options and then by --set.
method::Recipe ResolveRecipe(const QuantizeArguments& arguments) {
  method::Recipe recipe = method::LoadRecipe(arguments.recipe, "--recipe " + arguments.recipe);
  for (const RecipeOption& option : arguments.recipe_options) {
    if (option.value) method::SetRecipeKey(recipe, option.key, *option.value, option.name);
  }
  for (const std::string& setting : arguments.settings) {
    method::SetRecipeKey(recipe, setting, "--set");
  }
  return recipe;
}

pipeline::QuantizeOptions Resolve(const QuantizeArguments& arguments) {
  pipeline::QuantizeOptions options = arguments.options;
  options.model = arguments.model;
  options.out = arguments.out;
  options.format = format::FindFormat(arguments.format);
  options.recipe = ResolveRecipe(arguments);
  // GPTQ's first version cannot hold a zero point of 0, which may turn up in any layer.
  if (options.format == format::FormatKind::kGptq && !options.recipe.layer.symmetric) {
    options.format = format::FormatKind::kGptqV2;
  }
  for (const std::string& text : arguments.overrides) {
    options.overrides.push_back(ParseOverride(text));
  }
  options.Validate();
  return options;
}

std::string Percent(const std::optional<double>& error) {
  return error ? fmt::format("{:.3f} %", 100.0 * *error) : "-";
}

TextTable LayerTable(const std::vector<LayerReport>& layers) {
  TextTable table;
  table.Add({"layer", "shape", "bits", "group", "error", "RTN's"});
  for (const LayerReport& report : layers) {
    const pipeline::LayerPlan& plan = report.plan;
    const std::string shape = fmt::format("{} x {}", plan.info.out_features, plan.info.in_features);
    if (!plan.quantized) {
      table.Add({plan.info.name, shape, "16"}, "kept: " + plan.reason);
      continue;
    }
    table.Add({plan.info.name, shape, fmt::to_string(plan.bits), fmt::to_string(plan.group_size),
               Percent(report.relative_output_error), Percent(report.relative_output_error_rtn)});
  }
  return table;
}

void Print(const QuantizeSummary& summary) {
  if (summary.was_complete) {
    PrintLine("{}: complete before, by the same model, options and version",
              summary.options.out.string());
    return;
  }
  PrintTable(LayerTable(summary.layers));
  if (summary.expected_kl) {
    PrintLine("expected KL divergence {:.5f} +- {:.5f}, on {}", *summary.expected_kl,
              *summary.expected_kl_stderr,
              Counted(summary.held_out_sequences, "held-out sequence"));
  }
  const auto quantized = std::ranges::count_if(
      summary.layers, [](const LayerReport& report) { return report.plan.quantized; });
  PrintLine("{}: {} quantized, {} kept, {:.2f} bits per quantized weight, {}, peak memory {}",
            summary.options.out.string(), Counted(quantized, "layer"),
            std::ssize(summary.layers) - quantized, summary.bits_per_weight,
            Duration(summary.seconds), ByteCount(summary.peak_rss_bytes));
  if (summary.resumed_blocks > 0) {
    PrintLine("finished before: {}", Counted(summary.resumed_blocks, "block"));
  }
}

// Shows a plan or a summary where it belongs; `page` makes the report to read.
template <typename Result>
void Report(const QuantizeArguments& arguments, const Result& result, const io::Json& json,
            const std::function<void()>& print, const std::function<std::string()>& page) {
  for (const std::string& note : result.notes) spdlog::warn("{}", note);
  if (arguments.common.ShowsText() && !arguments.common.quiet()) print();
  arguments.report.Write(json, page);
  arguments.common.WriteJson(json);
}

void ShowPlan(const QuantizeArguments& arguments, const pipeline::QuantizeOptions& options) {
  arguments.report.RefusePages("--plan");
  const StatusWatch watch;
  const pipeline::PricedPlan plan = pipeline::PricePlan(options);
  Report(
      arguments, plan, pipeline::ToJson(plan, options), [&] { PrintPlan(plan, options); }, nullptr);
  for (const std::string& warning : plan.warnings) spdlog::warn("{}", warning);
}

int RunQuantize(const QuantizeArguments& arguments) {
  const std::string made = arguments.plan ? "" : arguments.out;
  arguments.common.Apply(made);
  arguments.report.RequireUsable(made);
  pipeline::QuantizeOptions options = Resolve(arguments);
  if (arguments.plan) {
    ShowPlan(arguments, options);
    return 0;
  }
  options.counts_outliers = arguments.report.WantsPage();
  const auto progress = arguments.common.MakeProgress(options.memory_budget);
  const QuantizeSummary summary = pipeline::Quantize(options, *progress);
  Report(
      arguments, summary, pipeline::ToJson(summary), [&] { Print(summary); },
      [&] { return QuantizePage(summary); });
  return 0;
}

void DeclareModelOptions(CLI::App& app, QuantizeArguments& arguments) {
  AddPath(app, "--model", arguments.model, "the 16-bit model folder")->required()->type_name("IN");
  AddPath(app, "--out", arguments.out, "the folder to write")->required()->type_name("OUT");
  app.add_flag("--overwrite", arguments.options.overwrite, "replace what OUT holds");
  app.add_flag("--resume", arguments.options.resume, "go on where a run into OUT was stopped");
  app.add_flag("--plan", arguments.plan, "show each layer's fate, time, memory; write nothing");
  arguments.report.Declare(app);
  AddSize(app, "--shard-size", arguments.options.shard_size, "bytes a file of weights holds")
      ->group(kMoreOptions);
}

void DeclareRecipeOptions(CLI::App& app, QuantizeArguments& arguments) {
  arguments.recipe_options = {
      {"--bits", "bits", "bits of each weight (default: the recipe's)", true, {}},
      {"--group-size", "group_size", "channels that share a scale (the recipe's)", false, {}},
      {"--rotations", "rotations", "rounds of rotations, 1 to 16 (the recipe's)", false, {}},
      {"--calib-sequences",
       "calibration_sequences",
       "how many to calibrate on (the recipe's)",
       true,
       {}},
      {"--sequence-length", "sequence_length", "tokens of each, never over the model's", false, {}},
  };
  for (RecipeOption& option : arguments.recipe_options) {
    const auto read = [&option](const std::string& text) {
      option.value = ParseRecipeKey(option.name, option.key, text);
    };
    CLI::Option* declared = app.add_option_function<std::string>(option.name, read, option.help);
    const std::vector<std::string> choices = method::RecipeKeyChoices(option.key);
    declared->type_name(choices.empty() ? "N" : Alternatives(choices));
    if (!option.is_common) declared->group(kMoreOptions);
  }
}

void DeclareMethodOptions(CLI::App& app, QuantizeArguments& arguments) {
  pipeline::QuantizeOptions& options = arguments.options;
  app.add_option("--recipe", arguments.recipe, "how to quantize")
      ->capture_default_str()
      ->type_name(RecipeValue());
  app.add_option("--set", arguments.settings, "change a key of the recipe (repeatable)")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  app.add_option("--format", arguments.format, "the layout to write")
      ->capture_default_str()
      ->type_name(Alternatives(format::FormatNames()));
  app.add_option("--target", options.target, "refuse what this engine would not load")
      ->type_name(Alternatives(pipeline::EngineNames()));
  DeclareRecipeOptions(app, arguments);
  app.add_option("--skip", options.skip, "keep modules whose name matches (repeatable)")
      ->allow_extra_args(false)
      ->type_name("REGEX")
      ->group(kMoreOptions);
  app.add_option("--override", arguments.overrides,
                 "other settings for modules whose name matches (repeatable)")
      ->allow_extra_args(false)
      ->type_name("REGEX:bits=B,group-size=G")
      ->group(kMoreOptions);
}

void DeclareCalibrationOptions(CLI::App& app, pipeline::QuantizeOptions& options) {
  app.add_option("--calib", options.calibration,
                 "texts, conversations (repeatable); self: by the model")
      ->type_name("self|FILE");
  AddSize(app, "--memory-budget", options.memory_budget,
          "bytes of activations to keep in memory, the rest goes to disk (1/16 of memory)")
      ->group(kMoreOptions);
  AddInteger(app, "--seed", options.seed, kAnySeed, "seed of all random choices")
      ->default_str("0")
      ->group(kMoreOptions);
}

}  // namespace

Run DeclareQuantize(CLI::App& app) {
  const auto arguments = std::make_shared<QuantizeArguments>();
  DeclareModelOptions(app, *arguments);
  DeclareMethodOptions(app, *arguments);
  DeclareCalibrationOptions(app, arguments->options);
  arguments->common.Declare(app);
  return [arguments] { return RunQuantize(*arguments); };
}

}  // namespace paroquant::cli
