#include "report/histogram_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "report/number_text.h"
#include "report/plot.h"

namespace paroquant::report {
namespace {

// The bins from the first to the last that hold anything.
struct BinRange {
  size_t first = 0;
  size_t end = 1;
};

BinRange FilledBins(const Distributions& data) {
  const size_t bins = data.edges.size() - 1;
  BinRange range{bins, 0};
  for (const BinCounts& series : data.series) {
    assert(series.counts.size() == bins);
    for (size_t i = 0; i < bins; ++i) {
      if (series.counts[i] == 0) continue;
      range.first = std::min(range.first, i);
      range.end = std::max(range.end, i + 1);
    }
  }
  return range.first < range.end ? range : BinRange{};
}

Plot Frame(const HistogramChart& chart, BinRange bins) {
  // Where one thing has a height on a logarithmic scale.
  const double least = chart.y_scale == ScaleKind::kLogarithmic ? 0.5 : 0;
  std::vector<double> y = {least};
  for (const BinCounts& series : chart.data.series) {
    for (const int64_t count : series.counts) y.push_back(static_cast<double>(count));
  }
  const std::vector<double> x = {chart.data.edges[bins.first], chart.data.edges[bins.end]};
  return Plot({chart.x_label, Scale(chart.x_scale, x)}, {chart.y_label, Scale(chart.y_scale, y)});
}

// The outline of the bars.
Markup Outline(const Plot& plot, const Distributions& data, size_t index, BinRange bins) {
  std::string path =
      fmt::format("M{} {}", Coordinate(plot.X(data.edges[bins.first])), Coordinate(Plot::Floor()));
  for (size_t i = bins.first; i < bins.end; ++i) {
    const auto count = static_cast<double>(data.series[index].counts[i]);
    const double top = count > 0 ? plot.Y(count) : Plot::Floor();
    path += fmt::format("V{}H{}", Coordinate(top), Coordinate(plot.X(data.edges[i + 1])));
  }
  path += fmt::format("V{}z", Coordinate(Plot::Floor()));
  return Element("path", {{"class", "bars " + SeriesClass(index)}, {"d", path}});
}

Table Numbers(const HistogramChart& chart, BinRange bins) {
  Table table{.caption = chart.caption.title, .columns = {{chart.x_label}}, .rows = {}};
  for (const BinCounts& series : chart.data.series) table.columns.push_back({series.name});
  for (size_t i = bins.first; i < bins.end; ++i) {
    std::vector<std::string>& row = table.rows.emplace_back();
    row.push_back(fmt::format("{} to {}", Significant(chart.data.edges[i]),
                              Significant(chart.data.edges[i + 1])));
    for (const BinCounts& series : chart.data.series) {
      row.push_back(fmt::to_string(series.counts[i]));
    }
  }
  return table;
}

}  // namespace

Markup Draw(const HistogramChart& chart) {
  const BinRange bins = FilledBins(chart.data);
  Plot plot = Frame(chart, bins);
  std::vector<std::string> names;
  for (size_t i = 0; i < chart.data.series.size(); ++i) {
    plot.Add(Outline(plot, chart.data, i, bins));
    names.push_back(chart.data.series[i].name);
  }
  return Figure(chart.caption, plot.Draw(chart.caption),
                names.size() > 1 ? Legend(names) : Markup(), Numbers(chart, bins));
}

}  // namespace paroquant::report
