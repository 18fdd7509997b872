// Is a checkpoint whole, and is it what its source became?
#ifndef PAROQUANT_PIPELINE_VERIFY_H_
#define PAROQUANT_PIPELINE_VERIFY_H_

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "paroquant/base/progress.h"

namespace paroquant::pipeline {

struct VerifyProblem {
  std::string where;  // file, tensor or layer
  std::string expected;
  std::string found;
};

// Checks a checkpoint: index and shards, dtype, shape and range of every tensor, pairs that are a
// partition of each group, finite scales and weights, quantization_config against the tensors, and
// that no tensor is left over. With `source` also that each layer's unrotated, dequantized weight
// is as close to the source as the checkpoint's own report says, that all other tensors and files
// but the model card are byte-identical, and that config.json has the same keys; if it is
// another model, that is the only problem of these. Throws only for folders that are no models at
// all.
std::vector<VerifyProblem> Verify(const std::filesystem::path& folder,
                                  const std::optional<std::filesystem::path>& source,
                                  Progress& progress);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_VERIFY_H_
