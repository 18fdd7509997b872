// How large a model is.
#ifndef PAROQUANT_PIPELINE_STORED_SIZE_H_
#define PAROQUANT_PIPELINE_STORED_SIZE_H_

#include <cstdint>

#include "paroquant/model/checkpoint.h"

namespace paroquant::pipeline {

struct StoredSize {
  int64_t bytes = 0;  // of all tensors
  // Of the blocks' linear layers: bits of their tensors, packed or not, for each of their weights.
  double bits_per_weight = 0;
};

// Throws what opening packed layers throws.
StoredSize MeasureStoredSize(const model::Checkpoint& checkpoint);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_STORED_SIZE_H_
