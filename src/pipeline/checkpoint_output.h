// The checkpoint being written: the source's tensors, some of them in packed form, its other files
// as they are, and a config.json that says so.
#ifndef PAROQUANT_PIPELINE_CHECKPOINT_OUTPUT_H_
#define PAROQUANT_PIPELINE_CHECKPOINT_OUTPUT_H_

#include <future>
#include <string>
#include <vector>

#include "paroquant/format/paroquant_format.h"
#include "paroquant/io/output_folder.h"
#include "paroquant/io/safetensors_writer.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/pipeline/layer_plan.h"
#include "paroquant/pipeline/quantize_options.h"
#include "paroquant/quant/packing.h"

namespace paroquant::pipeline {

// The source's tensors in their order, each replaced one followed by its packed form.
std::vector<io::TensorSpec> OutputSpecs(const model::Checkpoint& source, int rotations,
                                        const std::vector<LayerPlan>& plans);

class CheckpointOutput {
 public:
  // Declares every tensor and reserves the space. `rotations` is the
  // number of rounds of every quantized layer. Throws kUsage for an OUT that is not empty, kSystem
  // if the disk refuses. That OUT lies outside IN was checked before.
  CheckpointOutput(const model::Checkpoint& source, const QuantizeOptions& options, int rotations,
                   const std::vector<LayerPlan>& plans);

  // Copies what is not quantized, byte for byte.
  void CopyUntouchedTensors(const std::vector<LayerPlan>& plans);
  // May return while the disk is still at work on it; what goes wrong there is thrown by the next
  // call.
  void WriteLayer(const std::string& module, quant::PackedLinear packed);

  // Carries the other files over, writes config.json and `provenance`, and gives all of it the
  // final names.
  void Commit(const io::Json& provenance);

  // Files of the source that were left out, each with the reason.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  void CopyOtherFiles();
  void AwaitWrite();

  const model::Checkpoint& source_;
  format::QuantizationConfig config_;
  io::OutputFolder folder_;
  io::SafetensorsWriter writer_;
  std::vector<std::string> notes_;
  std::future<void> write_;  // in progress; the last member, so that it ends before the others
};

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_CHECKPOINT_OUTPUT_H_
