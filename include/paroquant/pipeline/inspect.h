// What a model folder holds and what quantizing it would do.
#ifndef PAROQUANT_PIPELINE_INSPECT_H_
#define PAROQUANT_PIPELINE_INSPECT_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "paroquant/format/packed_format.h"
#include "paroquant/model/tensors.h"
#include "paroquant/pipeline/layer_plan.h"

namespace paroquant::pipeline {

// How far a weight is from evenly spread; outliers are what makes quantization hard.
struct WeightStatistics {
  double rms = 0.0;
  double max_over_rms = 0.0;    // the largest weight
  double kurtosis = 0.0;        // E w^4 / (E w^2)^2; 3 for Gaussian weights
  double channel_spread = 0.0;  // largest over median norm of an input channel's column
  // What quantizing would have to deal with; counted only where that is asked for.
  struct Outliers {
    double group_range = 0.0;       // see method::MeanGroupRange
    std::vector<int64_t> weights;   // see method::CountWeights
    std::vector<int64_t> channels;  // of the columns, see method::CountChannels
  };
  std::optional<Outliers> outliers;
};

struct LayerInspection {
  LayerPlan plan;       // what the default options would do
  bool packed = false;  // already quantized
  int64_t stored_bytes = 0;
  std::optional<WeightStatistics> statistics;  // of 16-bit weights
};

struct Inspection {
  model::Architecture architecture;
  std::optional<format::QuantizationConfig> quantization;
  int64_t files = 0;
  int64_t tensors = 0;
  int64_t parameters = 0;  // elements of tensors that are not packed, plus weights that are
  int64_t stored_bytes = 0;
  std::vector<LayerInspection> layers;
};

struct InspectionOptions {
  bool counts_outliers = false;  // see WeightStatistics::outliers
};

// Reads every weight once. Throws what opening a model throws.
Inspection Inspect(const std::filesystem::path& folder, const InspectionOptions& options = {});

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_INSPECT_H_
