#include "report/heat_map.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/number_text.h"
#include "report/plot.h"
#include "report/scale.h"

namespace paroquant::report {
namespace {

constexpr double kLeft = 34;
constexpr double kTop = 22;
constexpr double kWidth = kPictureWidth - kLeft - 14;
constexpr double kHeight = kWidth;  // a square

Markup Rectangle(double x, double y, double width, double height, const Attributes& more) {
  Attributes attributes = {{"x", Coordinate(x)},
                           {"y", Coordinate(y)},
                           {"width", Coordinate(width)},
                           {"height", Coordinate(height)}};
  attributes.insert(attributes.end(), more.begin(), more.end());
  return Element("rect", attributes);
}

Markup Cells(const HeatMap& map, double greatest) {
  const double width = kWidth / map.columns;
  const double height = kHeight / map.rows;
  Markup cells = Rectangle(kLeft, kTop, kWidth, kHeight, {{"class", "floor"}});
  for (const Cell& cell : map.cells) {
    cells += Rectangle(kLeft + cell.column * width, kTop + cell.row * height, width, height,
                       {{"fill-opacity", fmt::format("{:.3f}", cell.value / greatest)}});
  }
  return Element("g", {{"class", "cells"}}, cells);
}

std::vector<double> TicksTo(int count) {
  return Scale(ScaleKind::kWhole, {0, static_cast<double>(count - 1)}).ticks();
}

Markup Axes(const HeatMap& map) {
  Markup axes;
  const double bottom = kTop + kHeight;
  for (const double tick : TicksTo(map.columns)) {
    axes += Letters(kLeft + (tick + 0.5) * kWidth / map.columns, bottom + 15, "middle",
                    TickLabel(tick));
  }
  for (const double tick : TicksTo(map.rows)) {
    axes += Letters(kLeft - 6, kTop + (tick + 0.5) * kHeight / map.rows + 4, "end",
                    TickLabel(tick + map.first_row));
  }
  axes += Letters(0, 12, "start", map.y_label);
  axes += Letters(kLeft + kWidth / 2, bottom + 31, "middle", map.x_label);
  return axes;
}

// What the depths stand for.
Markup Key(const HeatMap& map, double greatest) {
  constexpr int kSteps = 10;
  constexpr double kStep = 12;
  const double top = kTop + kHeight + 42;
  const double left = kLeft + kWidth - kSteps * kStep - 44;
  Markup key = Letters(left - 8, top + 9, "end", map.value_label + "  0");
  Markup cells;
  for (int i = 0; i < kSteps; ++i) {
    cells += Rectangle(left + i * kStep, top, kStep, 10,
                       {{"fill-opacity", fmt::format("{:.2f}", (i + 1.0) / kSteps)}});
  }
  key += Element("g", {{"class", "cells"}}, cells);
  return key + Letters(left + kSteps * kStep + 6, top + 9, "start", Significant(greatest, 2));
}

}  // namespace

Markup Draw(const HeatMap& map) {
  double greatest = 0;
  for (const Cell& cell : map.cells) greatest = std::max(greatest, cell.value);
  if (greatest == 0) greatest = 1;
  const Markup marks = Cells(map, greatest) + Axes(map) + Key(map, greatest);
  return Figure(map.caption, Picture(map.caption, kTop + kHeight + 58, marks), Markup(),
                map.numbers);
}

}  // namespace paroquant::report
