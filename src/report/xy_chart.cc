#include "report/xy_chart.h"

#include <fmt/format.h>

#include "report/number_text.h"
#include "report/plot.h"

namespace paroquant::report {
namespace {

// Whole numbers, of blocks say, are counted and not measured: they have no digits behind a point.
std::string PlaceText(const XyChart& chart, double x) {
  return chart.x_scale == ScaleKind::kWhole ? fmt::format("{:.0f}", x) : Significant(x);
}

// "rounding to nearest: 2.00 at block 1".
std::string Hint(const XyChart& chart, const Series& series, const Point& point) {
  const std::string what = chart.x_scale == ScaleKind::kWhole ? chart.x_label + " " : "";
  return fmt::format("{}: {} at {}{}", series.name, Significant(point.y), what,
                     PlaceText(chart, point.x));
}

Plot Frame(const XyChart& chart) {
  std::vector<double> x = chart.x_covers;
  std::vector<double> y = chart.y_covers;
  for (const Series& series : chart.series) {
    for (const Point& point : series.points) {
      x.push_back(point.x);
      y.insert(y.end(), {point.y - point.y_deviation, point.y, point.y + point.y_deviation});
    }
  }
  return Plot({chart.x_label, Scale(chart.x_scale, x)}, {chart.y_label, Scale(chart.y_scale, y)});
}

Markup Line(const Plot& plot, const Series& series, size_t index) {
  std::string path;
  for (const Point& point : series.points) {
    if (!plot.Shows(point.x, point.y)) continue;
    path += fmt::format("{}{} {}", path.empty() ? 'M' : 'L', Coordinate(plot.X(point.x)),
                        Coordinate(plot.Y(point.y)));
  }
  if (path.empty()) return {};
  return Element("path", {{"class", "line " + SeriesClass(index)}, {"d", path}});
}

Markup Deviation(const Plot& plot, const Point& point, size_t index) {
  const double least = point.y - point.y_deviation;
  const std::string style = "deviation " + SeriesClass(index);
  const double end = plot.Shows(point.x, least) ? plot.Y(least) : Plot::Floor();
  return Rule(style.c_str(), plot.X(point.x), end, plot.X(point.x),
              plot.Y(point.y + point.y_deviation));
}

Markup Dots(const Plot& plot, const XyChart& chart, size_t index) {
  const Series& series = chart.series[index];
  Markup dots;
  for (const Point& point : series.points) {
    if (!plot.Shows(point.x, point.y)) continue;
    if (point.y_deviation > 0) dots += Deviation(plot, point, index);
    dots += Marker(index, plot.X(point.x), plot.Y(point.y), Hint(chart, series, point));
  }
  return dots;
}

Table Numbers(const XyChart& chart) {
  Table table{.caption = chart.caption.title,
              .columns = {{"", ColumnKind::kText}, {chart.x_label}, {chart.y_label}},
              .rows = {}};
  table.columns.front().title = "Series";
  for (const Series& series : chart.series) {
    for (const Point& point : series.points) {
      table.rows.push_back({series.name, PlaceText(chart, point.x), Significant(point.y)});
    }
  }
  return table;
}

}  // namespace

Markup Draw(const XyChart& chart) {
  Plot plot = Frame(chart);
  std::vector<std::string> names;
  for (size_t i = chart.series.size(); i-- > 0;) {  // the first one comes to lie on top
    if (chart.joined) plot.Add(Line(plot, chart.series[i], i));
    plot.Add(Dots(plot, chart, i));
  }
  for (const Series& series : chart.series) names.push_back(series.name);
  return Figure(chart.caption, plot.Draw(chart.caption),
                names.size() > 1 ? Legend(names) : Markup(), Numbers(chart));
}

}  // namespace paroquant::report
