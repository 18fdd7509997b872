// Tuning what a method found, for a decoder block as a whole (arXiv 2511.10645, section 3.3): the
// quantized block's output is brought nearer to the 16-bit block's by gradient descent on what the
// codes stand for, through the rounding.
#ifndef PAROQUANT_METHOD_BLOCK_TUNING_H_
#define PAROQUANT_METHOD_BLOCK_TUNING_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/nn/block.h"
#include "paroquant/nn/held_linear.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

// A number of passes over the training sequences and what moves in them, by its learning rate; 0
// holds it still. Angles are in radians, column scales are factors of the start's.
struct TuningStage {
  int epochs = 0;
  bool learned_grids = false;  // false: the grids follow the range of the weights
  double angles = 0;
  double column_scales = 0;
  double weights = 0;
  double grid_scales = 0;
  double grid_zeros = 0;  // in codes
};

struct BlockTuningOptions {
  std::vector<TuningStage> stages;
  // The rates of grid scales, and of weights that are not trained in steps anyway, are in units of
  // the layer's mean grid scale, so that they suit any layer; if not, absolute as in the paper.
  bool relative_rates = true;
  // What is trained are the rotated weights in steps of their grids. They start inside the cells of
  // the start's codes, up to `margin` steps from the centres, which keeps what error feedback
  // found, and angles and scales do not move them. If not, the target weight itself is trained, as
  // in the paper.
  bool keep_codes = true;
  double margin = 0.45;
  // What a clamped weight gets of its gradient: nothing (its grid gets it), or all of it as in the
  // paper.
  bool exact_clamp = false;

  int64_t batch_sequences = 16;
  double final_rate = 0.05;  // where the half cosine ends, in units of the rate at the start
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-10;
  double weight_decay = 0.01;
};

// One linear of the block.
struct TuningLinear {
  Matrix weight;  // [N, K]: the one to imitate, or as it stays if there is no start
  std::optional<quant::QuantizedLinear> start;
  std::vector<float> bias;
};

// Sequences of one length, row after row: [count * length, hidden].
struct TuningSequences {
  int64_t length;
  ConstMatrixRef input;   // what the block reads: the quantized blocks' stream
  ConstMatrixRef target;  // what it should give: the 16-bit block's output on the 16-bit stream
};

struct EpochReport {
  int stage;             // from 0
  int epoch;             // from 0
  double training_loss;  // mean over the epoch's batches as they were met
  double held_out_loss;  // after the epoch, with everything rounded as it would be stored
};

struct BlockTuningSummary {
  double start_loss = 0;  // held-out loss of the start
  double loss = 0;        // of the result; never more
  bool accepted = false;  // false: no epoch was better than the start, which is the result
  std::vector<EpochReport> epochs;
};

struct TunedBlock {
  nn::PerLinear<std::optional<quant::QuantizedLinear>> linears;  // of those that had a start
  BlockTuningSummary summary;
};

// The mean over all entries of SmoothL1 (beta 1): d^2/2 for |d| < 1, |d| - 1/2 beyond.
double SmoothL1(const ConstMatrixRef& output, const ConstMatrixRef& target);

// Tunes the linears that have a start. Each stage begins at the best state so far, by held-out loss
// of the block as it would be stored; that state is the result. The linears of `block` are replaced
// and left in no particular state. `on_epoch` may throw to stop. The same result for any number of
// threads. Memory: four times the block's weights in float32 for the optimiser, and the activations
// of about 4096 tokens.
TunedBlock TuneBlock(nn::Block& block, const nn::RopeTable& rope,
                     const nn::PerLinear<TuningLinear>& linears, const TuningSequences& training,
                     const TuningSequences& held_out, const BlockTuningOptions& options,
                     const std::function<void(const EpochReport&)>& on_epoch);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_BLOCK_TUNING_H_
