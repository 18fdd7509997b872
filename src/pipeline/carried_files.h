// The files of a model folder beside config.json, the model card and the weights, which a
// checkpoint that is made from it holds unchanged.
#ifndef PAROQUANT_PIPELINE_CARRIED_FILES_H_
#define PAROQUANT_PIPELINE_CARRIED_FILES_H_

#include <filesystem>
#include <string>
#include <vector>

#include "paroquant/model/checkpoint.h"
#include "paroquant/pipeline/verify.h"

namespace paroquant::pipeline {

struct CarriedFiles {
  std::vector<std::filesystem::path> names;  // in the source's folder or one in it, sorted
  std::vector<std::string> notes;            // what else is there, each with the reason
};

CarriedFiles FindCarriedFiles(const model::Checkpoint& source);

// The carried files that differ from the source's, and the keys of config.json that do, other than
// quantization_config.
std::vector<VerifyProblem> DifferingFiles(const model::Checkpoint& checkpoint,
                                          const model::Checkpoint& source);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_CARRIED_FILES_H_
