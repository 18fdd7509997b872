// A Hugging Face model folder: config.json and the weights, mapped into memory.
#ifndef PAROQUANT_MODEL_CHECKPOINT_H_
#define PAROQUANT_MODEL_CHECKPOINT_H_

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/io/tensor_folder.h"
#include "paroquant/model/tensors.h"

namespace paroquant::model {

// What makes a folder a model.
inline constexpr char kConfigFile[] = "config.json";

class Checkpoint {
 public:
  // Throws kInput (no config.json, damaged weights, ...), kUnsupported (unknown model_type).
  static Checkpoint Open(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const { return folder_; }
  const io::Json& config() const { return config_; }
  const Architecture& architecture() const { return architecture_; }
  const io::TensorFolder& tensors() const { return tensors_; }

  // A 16- or 32-bit float tensor that must be there with this shape; throws kInput otherwise.
  const io::TensorView& FloatTensor(const std::string& name,
                                    const std::vector<int64_t>& shape) const;

 private:
  Checkpoint(std::filesystem::path folder, io::Json config, Architecture architecture,
             io::TensorFolder tensors);

  std::filesystem::path folder_;
  io::Json config_;
  Architecture architecture_;
  io::TensorFolder tensors_;
};

// Writes a float tensor's elements [first, first + count) as float32 to `target`.
void DecodeFloats(const io::TensorView& tensor, int64_t first, int64_t count, float* target);

// The sum of x[i] times element first + i of a float tensor.
float DotFloats(const io::TensorView& tensor, int64_t first, std::span<const float> x);

// The whole tensor as float32. Throws kInput for one of another type.
std::vector<float> DecodeFloats(const io::TensorView& tensor);

// Throws kInput, naming it, for a float tensor that holds a NaN or an infinity.
void RequireFinite(const io::TensorView& tensor);
// The same for the first such tensor of the folder.
void RequireFinite(const io::TensorFolder& tensors);

}  // namespace paroquant::model

#endif  // PAROQUANT_MODEL_CHECKPOINT_H_
