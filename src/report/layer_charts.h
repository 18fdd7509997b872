// Charts of values that each linear layer of a model has.
#ifndef PAROQUANT_REPORT_LAYER_CHARTS_H_
#define PAROQUANT_REPORT_LAYER_CHARTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "paroquant/report/page_data.h"
#include "report/markup.h"
#include "report/scale.h"

namespace paroquant::report {

// The last part of a module's name, which layers of all blocks have in common: "q_proj".
std::string RoleOf(const std::string& module);

struct LayerValue {
  std::string module;
  int64_t block = 0;
  std::vector<double> values;  // as many as there are names; NaN: not known
};

struct LayerCharts {
  std::string title;  // goes before a colon and the role
  std::string y_label;
  ScaleKind y_scale = ScaleKind::kLinear;
  std::vector<std::string> names;  // of the values
  std::vector<LayerValue> layers;
};

// A figure for each role, in the order in which they turn up, value against block and all with the
// same axis. Layers of a block with the same role (experts) appear as their mean; roles of which
// nothing is known do not.
Markup Draw(const LayerCharts& charts);

// The histograms of a layer.
Markup OutlierFigures(const std::string& layer, const LayerOutliers& outliers);

}  // namespace paroquant::report

#endif  // PAROQUANT_REPORT_LAYER_CHARTS_H_
