// The same quantized weights in another layout.
#ifndef PAROQUANT_PIPELINE_CONVERT_H_
#define PAROQUANT_PIPELINE_CONVERT_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "paroquant/base/progress.h"
#include "paroquant/format/packed_format.h"

namespace paroquant::pipeline {

struct ConvertOptions {
  std::filesystem::path model;  // a quantized checkpoint
  std::filesystem::path out;
  format::FormatKind format = format::FormatKind::kDense;
  bool overwrite = false;
  uint64_t shard_size = 5'000'000'000;  // bytes
};

struct ConvertSummary {
  format::FormatKind from = format::FormatKind::kParoquant;
  int64_t layers_converted = 0;
  int64_t layers_kept = 0;  // that were in 16 bits
  std::vector<std::string> notes;
  double seconds = 0.0;
};

// Writes options.model in another layout, with the same codes, zero points and scales, or as the
// weights that these stand for. All else is carried over byte for byte. Throws kUnsupported, before
// anything is written, naming the first layer that the layout cannot hold and why; kInput for a
// model that is not quantized; kUsage for one that has this layout already.
ConvertSummary Convert(const ConvertOptions& options, Progress& progress);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_CONVERT_H_
