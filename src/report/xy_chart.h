// Points in a plane, joined by lines where they follow each other.
#ifndef PAROQUANT_REPORT_XY_CHART_H_
#define PAROQUANT_REPORT_XY_CHART_H_

#include <string>
#include <vector>

#include "report/figure.h"
#include "report/scale.h"

namespace paroquant::report {

struct Point {
  double x = 0;
  double y = 0;
  double y_deviation = 0;  // how far `y` may be off, either way; 0: not known
};

struct Series {
  std::string name;
  std::vector<Point> points;  // those without a place on the axes are left out of the picture
};

struct XyChart {
  Caption caption;
  std::string x_label;
  std::string y_label;
  ScaleKind x_scale = ScaleKind::kLinear;
  ScaleKind y_scale = ScaleKind::kLinear;
  bool joined = true;  // each series by a line
  // Beside the points: values that several charts have in common.
  std::vector<double> x_covers;
  std::vector<double> y_covers;
  std::vector<Series> series;
};

Markup Draw(const XyChart& chart);

}  // namespace paroquant::report

#endif  // PAROQUANT_REPORT_XY_CHART_H_
