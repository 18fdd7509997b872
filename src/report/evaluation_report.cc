#include "paroquant/report/evaluation_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "paroquant/base/printable.h"
#include "paroquant/base/quantity_text.h"
#include "paroquant/base/text_table.h"
#include "report/number_text.h"
#include "report/page.h"
#include "report/table.h"
#include "report/xy_chart.h"

namespace paroquant::report {
namespace {

bool Diverges(const EvaluationReport& report) {
  return report.models.front().datasets.front().divergence.has_value();
}

std::string WithError(const std::string& mean, const Estimate& estimate, int decimals) {
  if (!estimate.standard_error) return mean;
  return fmt::format("{} \u00b1 {:.{}f}", mean, *estimate.standard_error, decimals);
}

std::string Shown(const Estimate& estimate, int decimals) {
  return WithError(fmt::format("{:.{}f}", estimate.mean, decimals), estimate, decimals);
}

// What a model has to say of its distance from the baseline, which is none from itself.
std::vector<std::string> DivergenceCells(const std::optional<Divergence>& divergence) {
  if (!divergence) return {kNoNumber, kNoNumber, kNoNumber};
  const Estimate& delta = divergence->delta_nll;
  return {Shown(divergence->kl, 5), fmt::format("{:.2f} %", 100 * divergence->top1_agreement),
          WithError(fmt::format("{:+.5f}", delta.mean), delta, 5)};
}

// A model on the dataset of this number.
std::vector<std::string> Row(const EvaluatedModel& model, size_t dataset, bool diverges) {
  const EvaluatedDataset& result = model.datasets[dataset];
  std::vector<std::string> row = {model.name, ByteCount(model.bytes),
                                  fmt::format("{:.2f}", model.bits_per_weight),
                                  Shown(result.perplexity, 4)};
  if (diverges) {
    for (const std::string& cell : DivergenceCells(result.divergence)) row.push_back(cell);
  }
  const double speed = model.tokens_per_second;
  row.push_back(speed > 0 ? fmt::format("{:.0f}", speed) : kNoNumber);
  return row;
}

// The baseline and all models on the dataset of this number.
Table Comparison(const EvaluationReport& report, size_t dataset) {
  const EvaluatedDataset& first = report.models.front().datasets[dataset];
  Table table{.caption = fmt::format("{}: {} of {} tokens, protocol {}; \u00b1 is one "
                                     "standard error over windows.",
                                     first.name, Counted(first.windows, "window"), first.window,
                                     report.protocol),
              .columns = {{"model", ColumnKind::kText}, {"size"}, {"bits/weight"}, {"perplexity"}},
              .rows = {}};
  const bool diverges = Diverges(report);
  if (diverges) {
    table.columns.insert(table.columns.end(), {{"KL divergence"}, {"top-1"}, {"delta NLL"}});
  }
  table.columns.push_back({"tokens/s"});
  if (report.baseline_model) {
    table.rows.push_back(Row(*report.baseline_model, dataset, diverges));
    table.rows.back().front() += " (baseline)";
  }
  for (const EvaluatedModel& model : report.models) {
    table.rows.push_back(Row(model, dataset, diverges));
  }
  return table;
}

// What sizes are shown in.
struct SizeUnit {
  double bytes;
  const char* name;
};

SizeUnit UnitFor(const EvaluationReport& report) {
  const auto gigabyte = [](const EvaluatedModel& model) { return model.bytes >= 1'000'000'000; };
  return std::ranges::any_of(report.models, gigabyte) ? SizeUnit{1e9, "GB"} : SizeUnit{1e6, "MB"};
}

// A point for each model.
Markup AgainstSize(const EvaluationReport& report, size_t dataset) {
  const SizeUnit unit = UnitFor(report);
  const std::string what = Diverges(report) ? "KL divergence" : "Perplexity";
  XyChart chart{
      .caption = {.title = fmt::format("{} against size, {}", what,
                                       report.models.front().datasets[dataset].name),
                  .description = "A mark for each model, with two standard errors either way; the "
                                 "lower and the further left, the better."},
      .x_label = fmt::format("size, {}", unit.name),
      .y_label = Diverges(report) ? "KL divergence, nats a token" : "perplexity",
      .joined = false,
      .series = {}};
  if (Diverges(report)) chart.y_covers = {0};
  for (const EvaluatedModel& model : report.models) {
    const EvaluatedDataset& result = model.datasets[dataset];
    const Estimate& y = result.divergence ? result.divergence->kl : result.perplexity;
    chart.series.push_back({model.name,
                            {{static_cast<double>(model.bytes) / unit.bytes, y.mean,
                              2 * y.standard_error.value_or(0)}}});
  }
  return Draw(chart);
}

Markup Lead(const EvaluationReport& report) {
  const std::string models =
      report.models.size() == 1 ? "One model" : fmt::format("{} models", report.models.size());
  if (report.baseline.empty()) return Paragraph(models + ", by perplexity.");
  return Paragraph(
      fmt::format("{}, by perplexity and by how far predictions moved from those of {}: KL "
                  "divergence, and how often the likeliest token is still the same.",
                  models, report.baseline));
}

// Of a table whose first column alone is text.
std::string Aligned(const Table& table) {
  assert(std::ranges::count(table.columns, ColumnKind::kText, &Column::kind) == 1);
  TextTable aligned;
  std::vector<std::string> titles;
  for (const Column& column : table.columns) titles.push_back(column.title);
  aligned.Add(std::move(titles));
  for (const auto& row : table.rows) aligned.Add(row);
  return fmt::format("{}\n{}\n", Printable(table.caption), fmt::join(aligned.Lines(), "\n"));
}

}  // namespace

std::string ToHtml(const EvaluationReport& report) {
  Markup tables;
  Markup charts;
  for (size_t i = 0; i < report.models.front().datasets.size(); ++i) {
    tables += Draw(Comparison(report, i));
    charts += AgainstSize(report, i);
  }
  const std::string commands = fmt::format("{}", fmt::join(report.commands, "\n"));
  Page page{.kind = "Evaluation report",
            .title = report.models.size() == 1 ? report.models.front().name : "Models compared",
            .lead = Lead(report),
            .sections = {{"results", "Results", tables},
                         {"size", "Quality against size", PairGrid(charts)},
                         {"reproduce", "Command", Code(commands)}}};
  return Write(page);
}

std::string ToText(const EvaluationReport& report) {
  std::string text;
  for (size_t i = 0; i < report.models.front().datasets.size(); ++i) {
    text += Aligned(Comparison(report, i));
  }
  return text;
}

}  // namespace paroquant::report
