// Distributions over the same bins, drawn over each other.
#ifndef PAROQUANT_REPORT_HISTOGRAM_CHART_H_
#define PAROQUANT_REPORT_HISTOGRAM_CHART_H_

#include <string>

#include "paroquant/report/page_data.h"
#include "report/figure.h"
#include "report/scale.h"

namespace paroquant::report {

struct HistogramChart {
  Caption caption;
  std::string x_label;
  std::string y_label;
  ScaleKind x_scale = ScaleKind::kLinear;
  ScaleKind y_scale = ScaleKind::kLinear;  // of the counts
  const Distributions& data;  // bins at the ends that are empty in all series are left out
};

Markup Draw(const HistogramChart& chart);

}  // namespace paroquant::report

#endif  // PAROQUANT_REPORT_HISTOGRAM_CHART_H_
