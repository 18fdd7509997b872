#include "paroquant/method/block_tuning.h"

#include <algorithm>
#include <map>
#include <memory>
#include <span>
#include <utility>

#include "method/trained_linear.h"
#include "method/trained_weight.h"
#include "paroquant/optim/schedule.h"
#include "paroquant/quant/dequantize.h"

namespace paroquant::method {
namespace {

using nn::PerLinear;

// Tokens whose activations are kept at a time.
constexpr int64_t kTokensPerPass = 4096;

// Some whole sequences of the data.
struct Slice {
  int64_t first_row;
  nn::SequenceBatch batch;
};

// Slices of sequences [first, end), each about kTokensPerPass tokens.
std::vector<Slice> Slices(int64_t first, int64_t end, int64_t length) {
  const int64_t most = std::max<int64_t>(1, kTokensPerPass / length);
  std::vector<Slice> slices;
  for (int64_t s = first; s < end; s += most) {
    slices.push_back({s * length, {.count = std::min(most, end - s), .length = length}});
  }
  return slices;
}

int64_t Count(const TuningSequences& sequences) {
  return sequences.input.rows() / sequences.length;
}

class Tuner {
 public:
  Tuner(nn::Block& block, const nn::RopeTables& rope, const PerLinear<TuningLinear>& linears,
        const TuningSequences& training, const TuningSequences& held_out, const BlockLoss& loss,
        const BlockTuningOptions& options)
      : block_(block),
        rope_(rope),
        training_(training),
        held_out_(held_out),
        loss_(loss),
        options_(options),
        held_(linears.size()),
        trained_(linears.size()),
        best_(linears.size()),
        saved_(linears.size()) {
    for (size_t i = 0; i < linears.size(); ++i) {
      const TuningLinear& linear = linears[i];
      basis_groups_.push_back(linear.basis_group);
      auto held = std::make_unique<nn::HeldLinear>(nn::ChannelMajor(linear.weight), linear.bias);
      held_[i] = held.get();
      block.ReplaceLinear(i, std::move(held));
      if (!linear.start) continue;
      trained_[i] = std::make_unique<TrainedLinear>(*linear.start, linear.weight, options);
      best_[i] = linear.start;
    }
    SaveParameters();
  }

  TunedBlock Run(const std::function<void(const EpochReport&)>& on_epoch) {
    BlockTuningSummary summary;
    summary.start_loss = summary.loss = HeldOutLoss(best_);
    for (size_t stage = 0; stage < options_.stages.size(); ++stage) {
      if (options_.stages[stage].epochs == 0) continue;
      BeginStage(options_.stages[stage]);
      for (int epoch = 0; epoch < options_.stages[stage].epochs; ++epoch) {
        EpochReport report{.stage = static_cast<int>(stage), .epoch = epoch};
        report.training_loss = TrainEpoch(epoch);
        PerLinear<std::optional<quant::QuantizedLinear>> snapped = Snap();
        report.held_out_loss = HeldOutLoss(snapped);
        if (report.held_out_loss < summary.loss) {
          summary.loss = report.held_out_loss;
          summary.accepted = true;
          best_ = std::move(snapped);
          SaveParameters();
        }
        summary.epochs.push_back(report);
        on_epoch(report);
      }
    }
    return {.linears = std::move(best_), .summary = std::move(summary)};
  }

 private:
  void BeginStage(const TuningStage& stage) {
    stage_ = stage;
    ForEachTrained([&](size_t i) {
      trained_[i]->weight().parameters() = saved_[i];
      trained_[i]->BeginStage(stage);
    });
    const int64_t batches =
        (Count(training_) + options_.batch_sequences - 1) / options_.batch_sequences;
    steps_ = batches * stage.epochs;
  }

  double TrainEpoch(int epoch) {
    const int64_t sequences = Count(training_);
    const int64_t batches = (sequences + options_.batch_sequences - 1) / options_.batch_sequences;
    double loss = 0;
    for (int64_t i = 0; i < batches; ++i) {
      const int64_t first = i * options_.batch_sequences;
      const int64_t end = std::min(sequences, first + options_.batch_sequences);
      loss += static_cast<double>(end - first) * BatchGradient(first, end);
      const double factor = optim::CosineRate(1, options_.final_rate, epoch * batches + i, steps_);
      Step(factor);
    }
    return loss / static_cast<double>(sequences);
  }

  // Linears with a basis of their own one after the other, for what their gradients take is much.
  void Step(double factor) {
    std::map<int, std::vector<size_t>> groups;
    ForEachTrained([&](size_t i) {
      trained_[i]->Backward(held_[i]->weight());
      if (basis_groups_[i] < 0) return trained_[i]->Step(factor);
      groups[basis_groups_[i]].push_back(i);
    });
    for (const auto& [group, members] : groups) StepTogether(factor, members);
  }

  // The gradient of what they share is the sum of theirs, and equal steps keep it equal.
  void StepTogether(double factor, const std::vector<size_t>& members) {
    Vector angles = trained_[members.front()]->gradients().angles;
    Vector factors = trained_[members.front()]->gradients().column_factors;
    for (size_t i = 1; i < members.size(); ++i) {
      angles += trained_[members[i]]->gradients().angles;
      factors += trained_[members[i]]->gradients().column_factors;
    }
    for (const size_t i : members) {
      trained_[i]->gradients().angles = angles;
      trained_[i]->gradients().column_factors = factors;
      trained_[i]->Step(factor);
    }
  }

  // Leaves each trained linear with the gradient of the batch's mean loss; returns that loss.
  double BatchGradient(int64_t first, int64_t end) {
    PerLinear<MatrixD*> gradients(held_.size());
    ForEachTrained([&](size_t i) { gradients[i] = &trained_[i]->Forward(held_[i]->weight()); });
    nn::HeldLinearsBackward backward(held_, gradients);
    const auto entries =
        static_cast<double>((end - first) * training_.length * training_.input.cols());
    double loss = 0;
    nn::BlockActivations kept;
    for (const Slice& slice : Slices(first, end, training_.length)) {
      const int64_t rows = slice.batch.rows();
      const auto target = training_.target.middleRows(slice.first_row, rows);
      Matrix hidden = training_.input.middleRows(slice.first_row, rows);
      block_.ForwardKeeping(slice.batch, rope_, hidden, kept);
      loss += loss_.Backward(target, hidden) * static_cast<double>(hidden.size()) / entries;
      hidden *= static_cast<float>(1 / entries);
      block_.BackwardToLinears(slice.batch, rope_, kept, backward, hidden);
    }
    return loss;
  }

  PerLinear<std::optional<quant::QuantizedLinear>> Snap() const {
    PerLinear<std::optional<quant::QuantizedLinear>> snapped(held_.size());
    ForEachTrained([&](size_t i) { snapped[i] = trained_[i]->Snap(); });
    return snapped;
  }

  double HeldOutLoss(const PerLinear<std::optional<quant::QuantizedLinear>>& linears) {
    ForEachTrained([&](size_t i) {
      held_[i]->weight() = nn::ChannelMajor(quant::EffectiveWeight(*linears[i]));
    });
    double loss = 0;
    for (const Slice& slice : Slices(0, Count(held_out_), held_out_.length)) {
      const int64_t rows = slice.batch.rows();
      Matrix hidden = held_out_.input.middleRows(slice.first_row, rows);
      block_.Forward(slice.batch, rope_, hidden);
      loss += loss_.Value(hidden, held_out_.target.middleRows(slice.first_row, rows)) *
              static_cast<double>(rows);
    }
    return loss / static_cast<double>(held_out_.input.rows());
  }

  void SaveParameters() {
    ForEachTrained([&](size_t i) { saved_[i] = trained_[i]->weight().parameters(); });
  }

  template <typename Body>
  void ForEachTrained(const Body& body) const {
    for (size_t i = 0; i < trained_.size(); ++i) {
      if (trained_[i] != nullptr) body(i);
    }
  }

  nn::Block& block_;
  const nn::RopeTables& rope_;
  const TuningSequences& training_;
  const TuningSequences& held_out_;
  const BlockLoss& loss_;
  const BlockTuningOptions& options_;
  TuningStage stage_;
  int64_t steps_ = 0;
  PerLinear<int> basis_groups_;
  PerLinear<nn::HeldLinear*> held_;
  PerLinear<std::unique_ptr<TrainedLinear>> trained_;
  PerLinear<std::optional<quant::QuantizedLinear>> best_;
  PerLinear<WeightParameters> saved_;  // of the best state
};

}  // namespace

TunedBlock TuneBlock(nn::Block& block, const nn::RopeTables& rope,
                     const nn::PerLinear<TuningLinear>& linears, const TuningSequences& training,
                     const TuningSequences& held_out, const BlockLoss& loss,
                     const BlockTuningOptions& options,
                     const std::function<void(const EpochReport&)>& on_epoch) {
  return Tuner(block, rope, linears, training, held_out, loss, options).Run(on_epoch);
}

}  // namespace paroquant::method
