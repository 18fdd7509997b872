// The checkpoint being written: the source's tensors, some of them in packed form, its other files
// as they are, and a config.json that says so.
#ifndef PAROQUANT_PIPELINE_CHECKPOINT_OUTPUT_H_
#define PAROQUANT_PIPELINE_CHECKPOINT_OUTPUT_H_

#include <filesystem>
#include <future>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "paroquant/format/packed_format.h"
#include "paroquant/io/output_folder.h"
#include "paroquant/io/safetensors_writer.h"
#include "paroquant/model/checkpoint.h"

namespace paroquant::pipeline {

// A linear layer that takes another form.
struct OutputLayer {
  std::vector<std::string> replaced;  // tensors of the source
  std::vector<io::TensorSpec> specs;  // what they become; layers may have some in common
};

// The source's tensors in their order, the first replaced one of a layer followed by what the layer
// becomes.
std::vector<io::TensorSpec> OutputSpecs(const model::Checkpoint& source,
                                        const std::vector<OutputLayer>& layers);

// Bytes of these.
int64_t OutputBytes(const model::Checkpoint& source, const std::vector<OutputLayer>& layers);

struct OutputPlace {
  std::filesystem::path folder;
  bool overwrite = false;
  bool resumes = false;  // an unfinished run has left this folder
  uint64_t shard_size = 0;
};

class CheckpointOutput {
 public:
  // Declares every tensor and reserves the space. Throws kUsage for an OUT that is not empty,
  // unless it is overwritten or resumed, or that another process writes to, kSystem if the disk
  // refuses. That OUT lies outside IN was checked before.
  CheckpointOutput(const model::Checkpoint& source, const OutputPlace& place,
                   const std::vector<OutputLayer>& layers,
                   const std::map<std::string, std::string>& metadata);

  // Copies what is not replaced, byte for byte.
  void CopyUntouchedTensors();
  // As WriteLayer, for tensors of the source that take other values.
  void WriteChanged(std::vector<format::PackedTensor> tensors);
  // May return while the disk is still at work on it; what goes wrong there is thrown by the next
  // call. Tensors that another layer has in common with this one are written once.
  void WriteLayer(std::vector<format::PackedTensor> tensors);

  // Carries the other files over, writes config.json, the model card and, unless it is null, how it
  // was made, and gives all of it the final names. The state of an unfinished run goes then. A card
  // in the folder that no run wrote, or that was edited, is kept under another name.
  void Commit(const io::Json& config, const io::Json& provenance, const std::string& card);

  // CRC-32 of each tensor that is no part of a layer that was written.
  const std::map<std::string, uint32_t>& checksums() const { return checksums_; }
  // Files of the source that were left out, each with the reason, and a card that was kept.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  void CopyOtherFiles();
  void KeepForeignCards();
  void AwaitWrite();

  const model::Checkpoint& source_;
  std::unordered_set<std::string> replaced_;
  std::unordered_set<std::string> written_;  // of layers
  io::OutputFolder folder_;
  io::SafetensorsWriter writer_;
  std::map<std::string, uint32_t> checksums_;
  std::vector<std::string> notes_;
  std::vector<format::PackedTensor> writing_;
  std::future<void> write_;  // in progress; the last member, so that it ends before the others
};

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_CHECKPOINT_OUTPUT_H_
