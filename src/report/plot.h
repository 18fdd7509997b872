// The frame that charts are drawn into: axes with ticks and labels.
#ifndef PAROQUANT_REPORT_PLOT_H_
#define PAROQUANT_REPORT_PLOT_H_

#include <string>

#include "report/figure.h"
#include "report/markup.h"
#include "report/scale.h"

namespace paroquant::report {

struct Axis {
  std::string label;  // with its unit
  Scale scale;
};

class Plot {
 public:
  Plot(Axis x, Axis y);

  // Where in the picture a value lies.
  double X(double value) const { return kLeft + x_.scale.Place(value) * (kRight - kLeft); }
  double Y(double value) const { return kBottom - y_.scale.Place(value) * (kBottom - kTop); }
  bool Shows(double x, double y) const { return x_.scale.Shows(x) && y_.scale.Shows(y); }
  static double Floor() { return kBottom; }

  void Add(const Markup& mark) { marks_ += mark; }

  // The axes with all marks before them.
  Markup Draw(const Caption& caption) const;

 private:
  static constexpr double kHeight = 236;
  static constexpr double kLeft = 48;
  static constexpr double kRight = kPictureWidth - 14;
  static constexpr double kTop = 24;
  static constexpr double kBottom = kHeight - 40;

  Markup Axes() const;

  Axis x_;
  Axis y_;
  Markup marks_;
};

// Letters at a point; `anchor` is "start", "middle" or "end".
Markup Letters(double x, double y, const char* anchor, const std::string& text);
// A line of the frame.
Markup Rule(const char* style, double x1, double y1, double x2, double y2);

}  // namespace paroquant::report

#endif  // PAROQUANT_REPORT_PLOT_H_
