// What a page about a quantized model shows.
#ifndef PAROQUANT_REPORT_QUANTIZATION_REPORT_H_
#define PAROQUANT_REPORT_QUANTIZATION_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "paroquant/report/page_data.h"

namespace paroquant::report {

struct QuantizedLayer {
  std::string name;
  int64_t block = 0;
  int64_t out_features = 0;
  int64_t in_features = 0;
  bool quantized = false;
  int bits = 4;
  int group_size = 128;
  std::string reason;  // why it is kept in 16 bits, or why its group size differs; else empty
  // Of the output on held-out tokens, as shares of its energy.
  std::optional<double> error;
  std::optional<double> rtn_error;
  // Mean over groups of (max - min) / root mean square, before and after the rotation.
  std::optional<double> range_before;
  std::optional<double> range_after;
  double seconds = 0;
  std::vector<std::string> notes;
  std::optional<LayerOutliers> outliers;
};

struct QuantizationReport {
  std::string model;   // what it was made from, for people
  std::string recipe;  // its name
  int bits = 4;
  int group_size = 128;
  int64_t source_bytes = 0;  // of tensors
  int64_t output_bytes = 0;
  double bits_per_weight = 0;
  // From the 16-bit model, mean over held-out tokens in nats, with its standard error.
  std::optional<double> kl_divergence;
  std::optional<double> kl_divergence_stderr;
  std::vector<double> held_out_losses;  // after each block, of the residual stream
  std::vector<QuantizedLayer> layers;
  std::optional<GroupRotations> rotations;
  std::vector<Fact> facts;  // calibration, time and memory
  std::string settings;     // of the recipe, as JSON
  std::vector<std::string> commands;
  std::vector<std::string> notes;
};

// The page, in HTML.
std::string ToHtml(const QuantizationReport& report);

}  // namespace paroquant::report

#endif  // PAROQUANT_REPORT_QUANTIZATION_REPORT_H_
