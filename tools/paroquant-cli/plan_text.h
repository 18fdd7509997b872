#ifndef PAROQUANT_TOOLS_PAROQUANT_CLI_PLAN_TEXT_H_
#define PAROQUANT_TOOLS_PAROQUANT_CLI_PLAN_TEXT_H_

#include "paroquant/pipeline/priced_plan.h"
#include "paroquant/pipeline/quantize_options.h"

namespace paroquant::cli {

// Prints what a run would do, to each layer and by what, and what it would take.
void PrintPlan(const pipeline::PricedPlan& plan, const pipeline::QuantizeOptions& options);

}  // namespace paroquant::cli

#endif  // PAROQUANT_TOOLS_PAROQUANT_CLI_PLAN_TEXT_H_
