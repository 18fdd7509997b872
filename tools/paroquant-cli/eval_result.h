// What eval-ppl has measured, as text, as JSON and as a report.
#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_EVAL_RESULT_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_EVAL_RESULT_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "paroquant/eval/perplexity.h"
#include "paroquant/pipeline/card_figures.h"
#include "paroquant/pipeline/stored_size.h"
#include "paroquant/report/evaluation_report.h"

namespace paroquant::cli {

struct DatasetResult {
  std::string dataset;
  int64_t window = 0;
  eval::PerplexityResult result;
};

struct ModelResult {
  std::string model;
  pipeline::StoredSize size;
  std::vector<DatasetResult> datasets;
  int64_t tokens = 0;
  double seconds = 0;  // loading included

  double TokensPerSecond() const { return static_cast<double>(tokens) / seconds; }
};

// The model that the others are compared with.
struct Baseline {
  std::string model;
  pipeline::StoredSize size;
};

// {"model", "results", "seconds", "tokens_per_second"}.
nlohmann::ordered_json ToJson(const ModelResult& result, const std::string& protocol);
// {"models": [as above with "stored_bytes" and "bits_per_weight"], "baseline"}.
nlohmann::ordered_json ToJson(const std::vector<ModelResult>& results, const std::string& protocol,
                              const std::string& baseline);

std::string ToText(const DatasetResult& result);

std::vector<pipeline::CardFigure> ToFigures(const ModelResult& result, const std::string& protocol);

// With the models under the names of their folders where these differ. The baseline's figures are
// those that it has beside the first of the models.
report::EvaluationReport ToReport(const std::vector<ModelResult>& results,
                                  const std::string& protocol,
                                  const std::optional<Baseline>& baseline);

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_EVAL_RESULT_H_
