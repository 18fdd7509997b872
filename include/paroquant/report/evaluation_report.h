// What a page that compares models on evaluation text shows.
#ifndef PAROQUANT_REPORT_EVALUATION_REPORT_H_
#define PAROQUANT_REPORT_EVALUATION_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace paroquant::report {

// A number with its standard error over windows; without one if there is a single window.
struct Estimate {
  double mean = 0;
  std::optional<double> standard_error;
};

// Against the baseline.
struct Divergence {
  Estimate kl;  // nats for each predicted token
  double top1_agreement = 0;
  Estimate delta_nll;  // the model's NLL minus the baseline's, paired
};

struct EvaluatedDataset {
  std::string name;
  int64_t windows = 0;
  int64_t window = 0;  // tokens
  Estimate perplexity;
  std::optional<Divergence> divergence;
};

struct EvaluatedModel {
  std::string name;
  int64_t bytes = 0;                       // of tensors
  double bits_per_weight = 0;              // of the linear layers
  double tokens_per_second = 0;            // 0: not known
  std::vector<EvaluatedDataset> datasets;  // the same ones in each model
};

struct EvaluationReport {
  std::string baseline;                          // "": none
  std::optional<EvaluatedModel> baseline_model;  // a row of its own, unless it is one of `models`
  std::string protocol;
  std::vector<EvaluatedModel> models;  // one at least
  std::vector<std::string> commands;
};

// The comparison as a page of HTML, and as lines for a terminal.
std::string ToHtml(const EvaluationReport& report);
std::string ToText(const EvaluationReport& report);

}  // namespace paroquant::report

#endif  // PAROQUANT_REPORT_EVALUATION_REPORT_H_
