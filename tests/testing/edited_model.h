// Models that are a golden model but for some changes.
#ifndef PAROQUANT_TESTS_TESTING_EDITED_MODEL_H_
#define PAROQUANT_TESTS_TESTING_EDITED_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/io/safetensors.h"

namespace paroquant::testing {

struct EditableTensor {
  std::string name;
  io::DType dtype;
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;
};

// A half tensor in another type.
void Retype(io::DType dtype, EditableTensor& tensor);

// Writes the tensors of `source`, a golden model's folder with one file of weights, as `edit`
// leaves them, and its config.json, as `edit_config` does, to a new folder.
void WriteEditedModel(
    const std::filesystem::path& source, const std::filesystem::path& folder,
    const std::function<void(std::vector<EditableTensor>&)>& edit,
    const std::function<void(io::Json&)>& edit_config = [](io::Json&) {});

}  // namespace paroquant::testing

#endif  // PAROQUANT_TESTS_TESTING_EDITED_MODEL_H_
