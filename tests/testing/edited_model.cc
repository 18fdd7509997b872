#include "tests/testing/edited_model.h"

#include "paroquant/base/file.h"
#include "paroquant/io/output_folder.h"
#include "paroquant/io/safetensors_writer.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/model/encode_floats.h"

namespace paroquant::testing {

void Retype(io::DType dtype, EditableTensor& tensor) {
  const io::TensorView view{.name = tensor.name,
                            .dtype = tensor.dtype,
                            .shape = tensor.shape,
                            .bytes = tensor.bytes,
                            .file = ""};
  tensor.bytes = model::EncodeFloats(model::DecodeFloats(view), dtype);
  tensor.dtype = dtype;
}

void WriteEditedModel(const std::filesystem::path& source, const std::filesystem::path& folder,
                      const std::function<void(std::vector<EditableTensor>&)>& edit,
                      const std::function<void(io::Json&)>& edit_config) {
  const auto file = io::SafetensorsFile::Open(source / "model.safetensors");
  std::vector<EditableTensor> tensors;
  for (const io::TensorView& tensor : file.tensors()) {
    tensors.push_back(
        {tensor.name, tensor.dtype, tensor.shape, {tensor.bytes.begin(), tensor.bytes.end()}});
  }
  edit(tensors);
  io::Json config = io::ReadJsonFile(source / "config.json");
  edit_config(config);

  std::vector<io::TensorSpec> specs;
  for (const EditableTensor& tensor : tensors) {
    specs.push_back({tensor.name, tensor.dtype, tensor.shape});
  }
  io::OutputFolder output = io::OutputFolder::Create(folder, /*overwrite=*/false);
  io::SafetensorsWriter writer(output, specs, uint64_t{1} << 30U, {});
  for (const EditableTensor& tensor : tensors) writer.Write(tensor.name, tensor.bytes);
  writer.Finish();
  WriteFile(output.Stage("config.json"), config.dump());
  output.Commit();
}

}  // namespace paroquant::testing
