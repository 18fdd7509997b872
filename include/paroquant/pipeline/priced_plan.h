// A plan, what it will take on this machine, and what about it may disappoint.
#ifndef PAROQUANT_PIPELINE_PRICED_PLAN_H_
#define PAROQUANT_PIPELINE_PRICED_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/pipeline/cost_estimate.h"
#include "paroquant/pipeline/quantization_plan.h"
#include "paroquant/pipeline/quantize_options.h"

namespace paroquant::pipeline {

// How much text a run looks at.
struct CalibrationSize {
  int64_t sequences = 0;  // 0: none
  int64_t held_out = 0;   // more of them
  int64_t length = 0;     // tokens of each
};

// What a machine has free at a moment, in bytes.
struct FreeRoom {
  uint64_t memory = 0;
  uint64_t disk = 0;  // where the output goes
};

struct PricedPlan : QuantizationPlan {
  CalibrationSize calibration;
  CostEstimate cost;
  std::vector<std::string> warnings;  // each with what to do about it
};

// What may disappoint: layers whose K divides by no asked group size, engines that would not load
// the result, text that is short beside the second moments that it is to tell, or cut to the
// model's positions, and more memory or disk than is free.
std::vector<std::string> PlanWarnings(const PricedPlan& plan,
                                      const model::Architecture& architecture,
                                      const QuantizeOptions& options, const FreeRoom& room);
// The same of a plan without a price, with what is free now.
std::vector<std::string> PlanWarnings(const QuantizationPlan& plan, const model::Checkpoint& source,
                                      const QuantizeOptions& options);

// The plan for options.model, with a probe of the machine of half a second or, for a long run, up
// to ten. Refused wherever Quantize would refuse to begin, calibration files that are no good or
// too short included. That weights are finite is not looked at.
PricedPlan PricePlan(const QuantizeOptions& options);

// That of the plan, with "calibration", "cost" and "warnings".
io::Json ToJson(const PricedPlan& plan, const QuantizeOptions& options);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_PRICED_PLAN_H_
