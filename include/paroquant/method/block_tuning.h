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
#include "paroquant/method/block_loss.h"
#include "paroquant/method/tuning_options.h"
#include "paroquant/nn/block.h"
#include "paroquant/nn/held_linear.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::method {

// One linear of the block.
struct TuningLinear {
  Matrix weight;  // [N, K]: the one to imitate, or as it stays if there is no start
  std::optional<quant::QuantizedLinear> start;
  std::vector<float> bias;
  // Linears of one number >= 0 have one basis, and are to keep it: their starts' channel scales and
  // rotations are the same, and so will the results' be.
  int basis_group = -1;
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

// Tunes the linears that have a start. Each stage begins at the best state so far, by held-out loss
// of the block as it would be stored; that state is the result. The linears of `block` are replaced
// and left in no particular state. `on_epoch` may throw to stop. The same result for any number of
// threads. Memory: four times the block's weights in float32 for the optimiser, and the activations
// of about 4096 tokens.
TunedBlock TuneBlock(nn::Block& block, const nn::RopeTables& rope,
                     const nn::PerLinear<TuningLinear>& linears, const TuningSequences& training,
                     const TuningSequences& held_out, const BlockLoss& loss,
                     const BlockTuningOptions& options,
                     const std::function<void(const EpochReport&)>& on_epoch);

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_BLOCK_TUNING_H_
