// Tensors of a checkpoint that belong to no part of its model.
#ifndef PAROQUANT_PIPELINE_SURPLUS_TENSORS_H_
#define PAROQUANT_PIPELINE_SURPLUS_TENSORS_H_

#include <string>
#include <vector>

#include "paroquant/model/checkpoint.h"
#include "paroquant/pipeline/verify.h"

namespace paroquant::pipeline {

// The names of those that name a block past the last one of config.json.
std::vector<std::string> TensorsBeyondTheLayers(const model::Checkpoint& checkpoint);

// Tensors of blocks past the last one, and parts of packed layers that are none. With `source`
// (or nullptr) instead all that are neither of the source nor a part of a packed layer.
std::vector<VerifyProblem> SurplusTensors(const model::Checkpoint& checkpoint,
                                          const model::Checkpoint* source);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_SURPLUS_TENSORS_H_
