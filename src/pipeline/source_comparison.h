// Is a checkpoint what its source became?
#ifndef PAROQUANT_PIPELINE_SOURCE_COMPARISON_H_
#define PAROQUANT_PIPELINE_SOURCE_COMPARISON_H_

#include <vector>

#include "paroquant/base/progress.h"
#include "paroquant/format/packed_format.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/model/tensors.h"
#include "paroquant/pipeline/verify.h"
#include "pipeline/checkpoint_report.h"

namespace paroquant::pipeline {

// How `checkpoint` differs from what `source` should have become: a problem for each weight, tensor
// and file, or a single one where it is another model's. `linears` are all of the checkpoint, a
// step of `progress` each; `report` is its own.
std::vector<VerifyProblem> CompareWithSource(const model::Checkpoint& checkpoint,
                                             const format::PackedLayers& packed,
                                             const CheckpointReport& report,
                                             const model::Checkpoint& source,
                                             const std::vector<model::LinearInfo>& linears,
                                             Progress& progress);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_SOURCE_COMPARISON_H_
