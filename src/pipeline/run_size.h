// How many tokens a run of Quantize works on.
#ifndef PAROQUANT_PIPELINE_RUN_SIZE_H_
#define PAROQUANT_PIPELINE_RUN_SIZE_H_

#include <cstdint>

#include "paroquant/method/recipe.h"
#include "paroquant/model/architecture.h"

namespace paroquant::pipeline {

struct RunSize {
  int64_t length = 0;     // of a sequence
  int64_t held_out = 0;   // the rest in tokens
  int64_t all = 0;        // held-out ones included
  int64_t reference = 0;  // that run in 16 bits too
  int64_t gradients = 0;  // that gradients are taken of
};

RunSize MeasureRun(const model::Architecture& architecture, const method::Recipe& recipe);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_RUN_SIZE_H_
