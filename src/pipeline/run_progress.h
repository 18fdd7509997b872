// What a run of Quantize tells of its progress: which step of the cost model is done, and where in
// the model that is.
#ifndef PAROQUANT_PIPELINE_RUN_PROGRESS_H_
#define PAROQUANT_PIPELINE_RUN_PROGRESS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "paroquant/base/progress.h"
#include "paroquant/method/block_tuning.h"
#include "paroquant/pipeline/layer_plan.h"
#include "paroquant/pipeline/quantize_options.h"
#include "pipeline/cost_model.h"

namespace paroquant::pipeline {

class RunProgress {
 public:
  // `progress` must outlive this.
  RunProgress(RunCost cost, const std::vector<LayerPlan>& plans,
              const method::BlockTuningOptions& tuning, Progress& progress);

  // Announces all that is to do, but for the text if that is there and for the blocks that
  // `finished(block)` says an earlier run has finished.
  void Start(bool has_text, const std::function<bool(int64_t)>& finished);
  void Finish() { progress_.Finish(); }

  // A part that counts steps of its own, under the display of the whole run.
  class Part : public Progress {
   public:
    Part(Progress& whole, Work work, std::string note)
        : whole_(whole), work_(std::move(work)), note_(std::move(note)) {}
    void Start(const std::string& /*phase*/, int64_t total) override { total_ = total; }
    void Advance(int64_t steps, const std::string& note) override;
    void Finish() override {}

   private:
    Progress& whole_;
    Work work_;
    std::string note_;
    int64_t total_ = 1;
  };
  Part Sampling();
  Part Gradients();

  // What was done until now, and is in no plan, tells nothing of the rest.
  void PassOver() { progress_.Skip({}); }

  // Each says that a part is done, in the order of a run.
  void GradientMoments(int64_t block);
  void Layer(const LayerPlan& plan);
  void Epoch(int64_t block, const method::EpochReport& epoch);
  void Block(int64_t block, std::optional<double> held_out_loss);
  void Comparison(double expected_kl);

  // The layers of a block that an earlier run has finished were taken over, its streams too if
  // `passed`.
  void TakeOver(int64_t block, bool passed, std::optional<double> held_out_loss);

 private:
  const BlockCost& Cost(int64_t block) const { return cost_.blocks[static_cast<size_t>(block)]; }
  // "block 3/32, layer 17/224, held-out loss 0.0123"
  std::string Where(int64_t block) const;

  RunCost cost_;
  const std::vector<LayerPlan>& plans_;
  method::BlockTuningOptions tuning_;
  Progress& progress_;
  int64_t layers_ = 0;  // to quantize
  int64_t done_ = 0;    // of these
  std::optional<double> held_out_loss_;
};

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_RUN_PROGRESS_H_
