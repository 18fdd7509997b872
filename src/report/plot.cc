#include "report/plot.h"

#include <utility>

#include "report/number_text.h"

namespace paroquant::report {

Markup Letters(double x, double y, const char* anchor, const std::string& text) {
  return Element("text", {{"x", Coordinate(x)}, {"y", Coordinate(y)}, {"text-anchor", anchor}},
                 Text(text));
}

Markup Rule(const char* style, double x1, double y1, double x2, double y2) {
  return Element("line", {{"class", style},
                          {"x1", Coordinate(x1)},
                          {"y1", Coordinate(y1)},
                          {"x2", Coordinate(x2)},
                          {"y2", Coordinate(y2)}});
}

Plot::Plot(Axis x, Axis y) : x_(std::move(x)), y_(std::move(y)) {}

Markup Plot::Axes() const {
  Markup axes;
  for (const double tick : y_.scale.ticks()) {
    axes += Rule("grid-line", kLeft, Y(tick), kRight, Y(tick));
    axes += Letters(kLeft - 6, Y(tick) + 4, "end", TickLabel(tick));
  }
  for (const double tick : x_.scale.ticks()) {
    axes += Rule("tick", X(tick), kBottom, X(tick), kBottom + 4);
    axes += Letters(X(tick), kBottom + 16, "middle", TickLabel(tick));
  }
  axes += Rule("axis", kLeft, kBottom, kRight, kBottom);
  // Above the axis rather than along it: nobody has to turn the head.
  axes += Letters(0, 12, "start", y_.label);
  axes += Letters((kLeft + kRight) / 2, kHeight - 6, "middle", x_.label);
  return axes;
}

Markup Plot::Draw(const Caption& caption) const {
  return Picture(caption, kHeight, Axes() + marks_);
}

}  // namespace paroquant::report
