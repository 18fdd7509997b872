#include "pipeline/resumption.h"

#include <fmt/ranges.h>

#include <filesystem>

#include "paroquant/base/error.h"
#include "paroquant/base/folder.h"
#include "paroquant/io/output_folder.h"
#include "pipeline/fingerprint.h"
#include "pipeline/report_json.h"
#include "pipeline/run_state.h"

namespace paroquant::pipeline {
namespace {

namespace fs = std::filesystem;

Error Changed(const fs::path& out, const std::string& expected,
              const std::vector<std::string>& changes, const std::string& hint) {
  return Error(ErrorKind::kUsage, {.where = "--resume " + out.string(),
                                   .expected = expected,
                                   .found = fmt::format("other ones: {}", fmt::join(changes, "; ")),
                                   .hint = hint});
}

// The report of a checkpoint that is complete; nothing where there is none that can be read.
std::optional<io::Json> ReadReport(const fs::path& out) {
  if (!Exists(out / model::kConfigFile) || !Exists(out / kProvenanceFile)) return std::nullopt;
  try {
    return io::ReadJsonFile(out / kProvenanceFile);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInput) throw;
    return std::nullopt;
  }
}

// The inverse of Provenance, as far as the summary is the same in every run.
QuantizeSummary ParseReport(const io::JsonObject& report, const QuantizeOptions& options,
                            const std::vector<LayerPlan>& plans) {
  QuantizeSummary summary{.options = options};
  const io::Json& layers = ListUnder(report, "layers");
  if (layers.size() != plans.size()) {
    report.Fail("layers", fmt::format("{}", plans.size()), fmt::format("{}", layers.size()));
  }
  for (size_t i = 0; i < plans.size(); ++i) {
    const io::JsonObject layer(layers[i], report.where() + ": layers");
    summary.layers.push_back(ParseLayerReport(layer, plans[i]));
  }
  for (const io::Json& loss : ListUnder(report, "held_out_losses")) {
    if (loss.is_number()) summary.held_out_losses.push_back(loss.get<double>());
  }
  for (const io::Json& tuning : ListUnder(report, "tuning")) {
    summary.tuning.push_back(
        ParseTuningReport(io::JsonObject(tuning, report.where() + ": tuning")));
  }
  summary.bits_per_weight = report.Get<double>("bits_per_weight");
  summary.expected_kl = OptionalNumber<double>(report, "expected_kl");
  summary.expected_kl_stderr = OptionalNumber<double>(report, "expected_kl_stderr");
  const io::JsonObject calibration = report.Object("calibration");
  summary.calibration_source = calibration.Get<std::string>("source");
  summary.calibration_sequences = calibration.Get<int64_t>("sequences");
  summary.calibration_tokens = calibration.Get<int64_t>("tokens");
  summary.held_out_sequences = calibration.Get<int64_t>("held_out_sequences");
  summary.fingerprint = report.Object("fingerprint").json();
  summary.was_complete = true;
  return summary;
}

}  // namespace

Beginning DecideBeginning(const QuantizeOptions& options, const io::Json& fingerprint) {
  Beginning beginning{.overwrite = options.overwrite};
  if (!options.resume) return beginning;
  const bool unfinished = HasRunState(options.out);
  beginning.resumes = unfinished || io::OutputFolder::HoldsLeftoversOnly(options.out);
  if (!unfinished) return beginning;
  try {
    const RunDescription description = ReadRunDescription(options.out);
    const auto changes = Changes(description.fingerprint, fingerprint);
    if (!changes.empty()) {
      throw Changed(options.out, "the model, options and version that the run began with", changes,
                    "Repeat the first command to go on, or start anew with --overwrite and "
                    "without --resume.");
    }
    beginning.overwrite = beginning.overwrite || description.overwrite;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInput) throw;
    // The other records each tell whether they are of this run.
    beginning.notes.push_back(fmt::format("{} It is written again.", error.what()));
  }
  return beginning;
}

std::optional<QuantizeSummary> FindCompleteRun(const QuantizeOptions& options,
                                               const std::vector<LayerPlan>& plans,
                                               const io::Json& fingerprint) {
  const std::optional<io::Json> report = ReadReport(options.out);
  if (!report || !report->is_object() || !report->contains("fingerprint")) return std::nullopt;
  const io::JsonObject json(*report, (options.out / kProvenanceFile).string());
  const auto changes = Changes(json.Object("fingerprint").json(), fingerprint);
  if (changes.empty()) return ParseReport(json, options, plans);
  if (options.overwrite || HasRunState(options.out)) return std::nullopt;
  throw Changed(options.out, "a checkpoint made from this model with these options and version",
                changes, "Choose another folder, or replace this checkpoint with --overwrite.");
}

}  // namespace paroquant::pipeline
