#include "paroquant/pipeline/stored_size.h"

#include <string>
#include <unordered_set>

#include "paroquant/format/packed_format.h"
#include "paroquant/model/tensors.h"

namespace paroquant::pipeline {

StoredSize MeasureStoredSize(const model::Checkpoint& checkpoint) {
  StoredSize size;
  for (const io::TensorView& tensor : checkpoint.tensors().tensors()) {
    size.bytes += std::ssize(tensor.bytes);
  }
  const format::PackedLayers packed(checkpoint);
  std::unordered_set<std::string> counted;  // experts share some
  int64_t bytes = 0;
  int64_t weights = 0;
  for (int64_t layer = 0; layer < checkpoint.architecture().layers; ++layer) {
    for (const model::LinearInfo& info : DescribeLinears(checkpoint.architecture(), layer)) {
      weights += info.out_features * info.in_features;
      const auto names = packed.Has(info) ? packed.Names(info) : std::vector{info.WeightName()};
      for (const std::string& name : names) {
        if (counted.insert(name).second) bytes += std::ssize(checkpoint.tensors().Get(name).bytes);
      }
    }
  }
  size.bits_per_weight = 8 * static_cast<double>(bytes) / static_cast<double>(weights);
  return size;
}

}  // namespace paroquant::pipeline
