// The calibration sequences on their way through the model, block by block: as the blocks so far
// quantized compute them, and beside that as the 16-bit model does.
#ifndef PAROQUANT_PIPELINE_CALIBRATION_STREAM_H_
#define PAROQUANT_PIPELINE_CALIBRATION_STREAM_H_

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/base/matrix_store.h"
#include "paroquant/io/record_file.h"
#include "paroquant/method/stage_moments.h"
#include "paroquant/model/architecture.h"
#include "paroquant/nn/block.h"
#include "paroquant/nn/held_linear.h"
#include "paroquant/runtime/language_model.h"
#include "pipeline/calibration_text.h"

namespace paroquant::pipeline {

// What is done to the linears of a block that read the same input, before they are applied.
class StageVisitor {
 public:
  virtual ~StageVisitor() = default;
  // True if any of these needs statistics of its input.
  virtual bool Wants(const model::LinearStage& stage) const = 0;
  // True if the experts whose linears read this want to see it all together first.
  virtual bool WantsPool(model::LinearInput input) const = 0;
  virtual void VisitPool(model::LinearInput input, method::StageMoments moments) = 0;
  // May replace these linears of the block, and use the moments up.
  virtual void Visit(const model::LinearStage& stage, method::StageMoments moments) = 0;
};

// How far the quantized stream is from the 16-bit one on the held-out sequences.
struct HeldOutDivergence {
  double mean = 0.0;
  double standard_error = 0.0;  // of the mean, from sequence to sequence; 0 for a single one
};

// Tokens that are worked on together: enough for full matrix products, few enough that what a
// block computes on the way stays small beside the stream itself.
inline constexpr int64_t kTokensPerChunk = 2048;

// What attention gives is needed twice, and kept in between only where that saves more time than it
// costs memory: with short sequences attention is cheap.
inline bool KeepsAttention(int64_t length, int64_t hidden_size) { return length > 2 * hidden_size; }

// What the last linear of an MLP reads is needed twice, too, and always kept; what experts read is
// not, each token having several.
inline bool KeepsMlpHidden(const model::Architecture& architecture, int64_t layer) {
  return DescribeLinears(architecture, layer).back().expert < 0;
}

class CalibrationStream {
 public:
  // What a recipe asks of the streams. Either takes a 16-bit stream of all sequences; else only the
  // held-out ones run in 16 bits too.
  struct Needs {
    bool repairs = false;    // moments tell what the layers before have lost
    bool reference = false;  // somebody looks at the 16-bit stream
  };

  // `model` and `store`, which the activations of all sequences are kept in, must outlive this.
  CalibrationStream(const runtime::LanguageModel& model, const CalibrationText& text, Needs needs,
                    MatrixStore& store);

  // Moves the streams through `block`, the block `layer` of the model being quantized; `name` is
  // used in errors. The visitor is called for each stage (q k v, o, gate up, down, the latter two
  // for each expert) with moments of what the stage reads, given all that was replaced before it.
  void RunBlock(int64_t layer, nn::Block& block, const std::string& name, StageVisitor& visitor);

  // Moves the streams through a block that is quantized already, to where RunBlock would have.
  void Pass(int64_t layer, const nn::Block& block);

  // The streams' bytes to a record, and back from the record of a stream of the same text.
  void Save(io::RecordWriter& record) const;
  void Restore(io::Record& record);
  uint64_t bytes() const;

  // A copy of the quantized stream.
  StoredMatrix Copy() const;
  // Moves the quantized stream once more, from where it was before the last block.
  void RunAgain(const nn::Block& block, StoredMatrix input);

  // The streams, [all sequences * length, hidden]: the held-out sequences, the calibration's with
  // even numbers, those with odd ones.
  ConstMatrixMap hidden() const { return hidden_.view(); }
  ConstMatrixMap reference() const { return reference_.view(); }
  int64_t held_out_rows() const { return sequences_[kHeldOut] * length_; }
  int64_t length() const { return length_; }
  const nn::RopeTables& rope() const { return rope_; }

  // |h - h_f|^2 / |h_f|^2 over the held-out tokens, h and h_f the two residual streams.
  double HeldOutLoss() const;
  // After the last block: KL divergence of the next token's distribution from the 16-bit model's,
  // in nats, over the held-out tokens.
  HeldOutDivergence Divergence() const;

 private:
  // Sequences lie in this order, each part without gaps.
  enum Part { kHeldOut, kFirstHalf, kSecondHalf, kParts };

  // Rows [first, first + batch.rows()) of the streams: some whole sequences of a part.
  struct Chunk {
    Part part;
    int64_t first;
    nn::SequenceBatch batch;
  };

  // What a stage reads, and what it could repair (see method::RepairForm) or nothing.
  struct StageInput {
    Matrix input;
    Matrix difference;
  };

  void ForEachChunk(const std::function<void(const Chunk&)>& body) const;
  // The chunks of the 16-bit stream.
  void ForEachReferenceChunk(const std::function<void(const Chunk&)>& body) const;

  // The chunk's rows of activations of all sequences.
  template <typename Stored>
  static auto Of(Stored& activations, const Chunk& chunk) {
    return activations.view().middleRows(chunk.first, chunk.batch.rows());
  }

  // A block on the way through it.
  struct BlockRun {
    const nn::Block& original;
    nn::Block& block;
    std::vector<model::LinearInfo> linears;
    std::vector<model::LinearStage> stages;
    const std::string& name;
    StageVisitor& visitor;
  };

  // The experts' shares of all chunks, in their order.
  using Routings = std::vector<nn::Routing>;

  bool Repairs(const Chunk& chunk) const { return repairs_ && chunk.part != kHeldOut; }
  // Shows the visitor the input that `read(chunk)` gives, if it wants it.
  template <typename Read>
  void Show(const BlockRun& run, const model::LinearStage& stage, method::RepairForm form,
            const Read& read) const;
  // Of a stage [rows, channels], with nothing in it yet.
  method::StageMoments MakeMoments(const BlockRun& run, const model::LinearStage& stage,
                                   method::RepairForm form) const;
  void AddToMoments(const Chunk& chunk, const StageInput& stage,
                    method::StageMoments& moments) const;
  // What a layer whose output is multiplied by `factor` and added to the stream would have to give
  // for it to be the 16-bit one, less the layer's bias.
  Matrix OutputDifference(const Chunk& chunk, const model::LinearInfo& linear, float factor) const;

  // The same for a linear whose output is multiplied by `factor` and added to the stream, or for 0
  // normed before.
  template <typename Read>
  void ShowOutput(const BlockRun& run, const model::LinearStage& stage, float factor,
                  const Read& read) const;
  StageInput MlpStageInput(const BlockRun& run, const Chunk& chunk) const;

  void RunAttention(const BlockRun& run);
  void RunMlp(const BlockRun& run);
  void RunExperts(const BlockRun& run);
  // What all experts read at their first or their second stage, with the weight it has for them.
  void ShowPool(const BlockRun& run, const Routings& routings, model::LinearInput input) const;
  StageInput ExpertInput(const BlockRun& run, const Chunk& chunk, const nn::ExpertShare& share,
                         const model::LinearStage& stage) const;
  // Of the next token's distribution from the 16-bit model's, for some rows of the streams.
  std::vector<double> Divergences(int64_t first, int64_t count) const;
  static method::InputStatistics& Statistics(Part part, method::StageMoments& moments) {
    if (part == kHeldOut) return moments.held_out;
    return moments.halves[part == kFirstHalf ? 0 : 1].inputs;
  }
  // Shows a stage of an expert what it reads of its share, and, if that has fewer tokens than the
  // stage has channels, of a sample of all tokens, so that both together have as many.
  void ShowShares(const BlockRun& run, const model::LinearStage& stage, const Routings& routings,
                  method::RepairForm form) const;

  auto Rows(const Chunk& chunk) { return Of(hidden_, chunk); }
  auto Rows(const Chunk& chunk) const { return Of(hidden_, chunk); }
  auto ReferenceRows(const Chunk& chunk) { return Of(reference_, chunk); }
  auto ReferenceRows(const Chunk& chunk) const { return Of(reference_, chunk); }

  const runtime::LanguageModel& model_;
  MatrixStore& store_;
  bool repairs_;
  std::array<int64_t, kParts> sequences_{};
  int64_t length_;
  nn::RopeTables rope_;
  StoredMatrix hidden_;     // [all sequences * length, hidden]
  StoredMatrix reference_;  // the 16-bit stream: as many rows, or those of the held-out part
};

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_CALIBRATION_STREAM_H_
