// What a checkpoint's own report, quantization_report.json, says of its layers.
#ifndef PAROQUANT_PIPELINE_CHECKPOINT_REPORT_H_
#define PAROQUANT_PIPELINE_CHECKPOINT_REPORT_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "paroquant/io/json.h"
#include "paroquant/io/safetensors.h"
#include "paroquant/io/tensor_folder.h"
#include "paroquant/model/tensors.h"
#include "pipeline/scale_folding.h"

namespace paroquant::pipeline {

struct ReportedLayer {
  double weight_error = 0.0;
  std::optional<uint32_t> checksum;
};

class CheckpointReport {
 public:
  // Reads the file, if it is there. Throws kInput; what came before the fault is kept.
  void Read(const std::filesystem::path& path);
  // The same of its content, which `where` names.
  void Parse(const io::Json& report, const std::string& where);

  // Null for a module of which nothing is said.
  const ReportedLayer* Find(const std::string& module) const;

  // CRC-32 of tensors that are no part of a quantized layer.
  const std::map<std::string, uint32_t>& tensors() const { return tensors_; }

  // Throws kInput if the bytes of a module's tensors, or of a tensor that tensors() has, are not
  // those that were written. A module of which no checksum is told passes.
  void RequireAsWritten(const io::TensorFolder& folder, const std::string& module,
                        const std::vector<std::string>& names) const;
  void RequireAsWritten(const io::TensorFolder& folder, const std::string& tensor) const;

  // The channel scales of a layer that were folded into others. Throws kInput if they do not fit.
  FoldedScales ScalesOf(const model::LinearInfo& info) const;

  // The scales that a norm or a bias of the source has taken up, or null.
  const std::vector<uint16_t>* FindFolded(const io::TensorView& original) const;

 private:
  void ReadFolding(const io::JsonObject& layer);

  std::map<std::string, ReportedLayer> layers_;  // by module
  std::map<std::string, uint32_t> tensors_;
  std::map<std::string, FoldedScales> folded_;  // by module or, of norms, by tensor
};

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_CHECKPOINT_REPORT_H_
