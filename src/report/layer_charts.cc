#include "report/layer_charts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "report/histogram_chart.h"
#include "report/number_text.h"
#include "report/xy_chart.h"

namespace paroquant::report {
namespace {

struct Mean {
  double sum = 0;
  int64_t count = 0;
};

// The means of value `index` over the layers of a role, block by block.
std::vector<Point> BlockMeans(const LayerCharts& charts, const std::string& role, size_t index) {
  std::map<int64_t, Mean> means;
  for (const LayerValue& layer : charts.layers) {
    const double value = layer.values[index];
    if (RoleOf(layer.module) != role || !std::isfinite(value)) continue;
    Mean& mean = means[layer.block];
    mean.sum += value;
    ++mean.count;
  }
  std::vector<Point> points;
  for (const auto& [block, mean] : means) {
    points.push_back({static_cast<double>(block), mean.sum / static_cast<double>(mean.count)});
  }
  return points;
}

// "RTN from 1.2 to 3.4".
std::string Span(const Series& series) {
  if (series.points.empty()) return series.name + " is not known";
  const auto [least, greatest] = std::ranges::minmax(series.points, {}, &Point::y);
  return fmt::format("{} from {} to {}", series.name, Significant(least.y),
                     Significant(greatest.y));
}

Markup DrawRole(const LayerCharts& charts, const std::string& role,
                const std::vector<double>& all_values) {
  XyChart chart{.caption = {.title = charts.title + ": " + role, .description = {}},
                .x_label = "block",
                .y_label = charts.y_label,
                .x_scale = ScaleKind::kWhole,
                .y_scale = charts.y_scale,
                .x_covers = {},
                .y_covers = all_values,
                .series = {}};
  bool known = false;
  for (const LayerValue& layer : charts.layers) {
    chart.x_covers.push_back(static_cast<double>(layer.block));
  }
  std::vector<std::string> spans;
  for (size_t i = 0; i < charts.names.size(); ++i) {
    chart.series.push_back({charts.names[i], BlockMeans(charts, role, i)});
    spans.push_back(Span(chart.series.back()));
    known = known || !chart.series.back().points.empty();
  }
  if (!known) return {};
  chart.caption.description =
      fmt::format("{} by block: {}.", charts.y_label, fmt::join(spans, "; "));
  return Draw(chart);
}

// The highest bin that holds anything begins there.
double LargestBin(const Distributions& data, const BinCounts& series) {
  for (size_t i = series.counts.size(); i-- > 0;) {
    if (series.counts[i] > 0) return data.edges[i];
  }
  return data.edges.front();
}

std::string Describe(const Distributions& data) {
  std::vector<std::string> reach;
  for (const BinCounts& series : data.series) {
    reach.push_back(
        fmt::format("{} up to {} times", series.name, Significant(LargestBin(data, series), 2)));
  }
  return fmt::format("Largest: {}.", fmt::join(reach, ", "));
}

}  // namespace

std::string RoleOf(const std::string& module) { return module.substr(module.rfind('.') + 1); }

Markup Draw(const LayerCharts& charts) {
  std::vector<std::string> roles;
  std::vector<double> all_values;
  for (const LayerValue& layer : charts.layers) {
    const std::string role = RoleOf(layer.module);
    if (std::ranges::find(roles, role) == roles.end()) roles.push_back(role);
    all_values.insert(all_values.end(), layer.values.begin(), layer.values.end());
  }
  Markup figures;
  for (const std::string& role : roles) figures += DrawRole(charts, role, all_values);
  return figures;
}

Markup OutlierFigures(const std::string& layer, const LayerOutliers& outliers) {
  Markup figures =
      Draw(HistogramChart{.caption = {.title = layer + ": weights",
                                      .description = "How many weights are how large beside their "
                                                     "group. " +
                                                     Describe(outliers.weights)},
                          .x_label = "|weight| / RMS of its group",
                          .y_label = "weights",
                          .y_scale = ScaleKind::kLogarithmic,
                          .data = outliers.weights});
  if (outliers.channels.series.empty()) return figures;
  return figures + Draw(HistogramChart{
                       .caption = {.title = fmt::format("{}: {}", layer, outliers.channels_are),
                                   .description = fmt::format(
                                       "How many {} are how large beside all of them. {}",
                                       outliers.channels_are, Describe(outliers.channels))},
                       .x_label = "RMS of the channel / RMS of all",
                       .y_label = "channels",
                       .x_scale = ScaleKind::kLogarithmic,
                       .data = outliers.channels});
}

}  // namespace paroquant::report
