// The whole job: a 16-bit model folder in, a paroquant checkpoint out.
#ifndef PAROQUANT_PIPELINE_QUANTIZE_H_
#define PAROQUANT_PIPELINE_QUANTIZE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "paroquant/base/progress.h"
#include "paroquant/io/json.h"
#include "paroquant/method/block_tuning.h"
#include "paroquant/method/layer_facts.h"
#include "paroquant/method/outlier_counts.h"
#include "paroquant/pipeline/layer_plan.h"
#include "paroquant/pipeline/quantize_options.h"

namespace paroquant::pipeline {

struct LayerReport {
  LayerPlan plan;
  // |E|^2 / |W|^2, E the effective weight minus W (Frobenius norms).
  double relative_weight_error = 0.0;
  // tr(E H E^T) / tr(T H T^T), H the second moment of the layer's inputs on the held-out sequences,
  // T the weight to imitate (see method/repair_target.h) and E the effective weight minus T; with
  // rounding to nearest in place of the recipe beside it. Absent without calibration.
  std::optional<double> relative_output_error;
  std::optional<double> relative_output_error_rtn;
  // How much of the correction for what the layers before have lost was taken, from 0 to 1.
  std::optional<double> repair;
  // Of an expert's layer, the calibration tokens that went to the expert.
  std::optional<int64_t> routed_tokens;
  // False: the recipe's result was worse than rounding to nearest, which took its place, for tuning
  // to start from if the recipe tunes.
  bool accepted = true;
  method::GroupRanges ranges;
  // Of the weights and the held-out inputs, if options.counts_outliers; not in Provenance.
  std::optional<method::OutlierCounts> outliers;
  std::vector<std::string> notes;  // what is unusual about the layer
  uint32_t checksum = 0;           // of the packed tensors, see format::Checksum
  // Halves, [K], that the plan's ScalePlace has taken up; empty if it has not.
  std::vector<uint16_t> folded_scales = {};
  double seconds = 0.0;
};

// How the layers of a block were tuned together.
struct TuningReport {
  int64_t layer = 0;
  method::BlockTuningSummary summary;
  double seconds = 0.0;
};

struct QuantizeSummary {
  QuantizeOptions options;
  std::vector<LayerReport> layers;
  // Codes, scales, zero points, angles, pairs and channel scales of the quantized layers, in bits
  // for each of their weights.
  double bits_per_weight = 0.0;
  // After each block, |h - h_f|^2 / |h_f|^2 on the held-out sequences, h the residual stream and
  // h_f that of the 16-bit model. Empty without calibration.
  std::vector<double> held_out_losses;
  std::vector<TuningReport> tuning;  // of each block, if the recipe tunes
  // KL divergence from the 16-bit model on the held-out sequences, mean over tokens in nats, and
  // the standard error of that mean. Absent without calibration.
  std::optional<double> expected_kl;
  std::optional<double> expected_kl_stderr;
  std::string calibration_source;  // "none", "self" or the files
  int64_t calibration_sequences = 0;
  int64_t calibration_tokens = 0;
  int64_t held_out_sequences = 0;
  std::vector<std::string> notes;  // what the user should know: files left out, engines' limits
  int64_t resumed_blocks = 0;      // that an earlier run had finished
  bool was_complete = false;       // `out` already was what this run would have made
  io::Json fingerprint = nullptr;  // what decides the result's bytes: options, version, files
  double seconds = 0.0;
  int64_t peak_rss_bytes = 0;
  int64_t peak_spilled_bytes = 0;  // of activations that lay on disk
};

// Quantizes options.model into options.out. The output appears under its final names only when it
// is whole. The same options give the same bytes, whatever the number of threads, and with
// options.resume wherever earlier runs were stopped. Beside what planning and reading throw, throws
// kUsage if `out` holds an unfinished run and it is neither resumed nor overwritten, or if a run to
// be resumed was another one, saying what has changed. Errors after a block is finished say what is
// kept for options.resume.
QuantizeSummary Quantize(const QuantizeOptions& options, Progress& progress);

// The summary under the keys that scripts rely on.
io::Json ToJson(const QuantizeSummary& summary);

// The resolved recipe: what, beside the source and the text, decides the result.
io::Json RecipeJson(const QuantizeOptions& options);

// The file in a checkpoint that says how it was made; read by Verify.
inline constexpr char kProvenanceFile[] = "quantization_report.json";
// The part of the summary that is the same in every run: no times, no memory.
io::Json Provenance(const QuantizeSummary& summary);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_QUANTIZE_H_
