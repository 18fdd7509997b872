// What a page about a model shows before anything is done to it.
#ifndef PAROQUANT_REPORT_MODEL_REPORT_H_
#define PAROQUANT_REPORT_MODEL_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "paroquant/report/page_data.h"

namespace paroquant::report {

// Of the weights of a linear layer.
struct WeightSummary {
  double max_over_rms = 0;
  double kurtosis = 0;
  double channel_spread = 0;  // largest over median norm of an input channel's column
  double group_range = 0;     // mean over groups of (max - min) / root mean square
  LayerOutliers outliers;
};

struct InspectedLayer {
  std::string name;
  int64_t block = 0;
  int64_t out_features = 0;
  int64_t in_features = 0;
  std::string fate;                      // what quantizing would do to it
  std::optional<WeightSummary> weights;  // of 16-bit weights
};

struct ModelReport {
  std::string model;
  std::vector<Fact> facts;  // of its architecture and size
  std::vector<InspectedLayer> layers;
  std::vector<std::string> commands;
};

std::string ToHtml(const ModelReport& report);

}  // namespace paroquant::report

#endif  // PAROQUANT_REPORT_MODEL_REPORT_H_
