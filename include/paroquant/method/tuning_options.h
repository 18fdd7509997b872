// How the linears of a block are tuned together, as plain data.
#ifndef PAROQUANT_METHOD_TUNING_OPTIONS_H_
#define PAROQUANT_METHOD_TUNING_OPTIONS_H_

#include <algorithm>
#include <array>
#include <cstdint>

namespace paroquant::method {

// A number of passes over the training sequences and what moves in them, by its learning rate; 0
// holds it still. Angles are in radians, column scales are factors of the start's.
struct TuningStage {
  int epochs = 0;
  // False: the grids follow the range of the weights. Grids of codes that are kept are learned.
  bool learned_grids = false;
  double angles = 0;
  double column_scales = 0;
  double weights = 0;
  double grid_scales = 0;
  double grid_zeros = 0;  // in codes
};

struct BlockTuningOptions {
  std::array<TuningStage, 2> stages;
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

  // Of both stages. Tuning does anything if there are any.
  int64_t Epochs() const { return stages[0].epochs + stages[1].epochs; }
  bool Tunes() const { return Epochs() > 0; }
  // Does it move what is done to the layers' inputs?
  bool TurnsInputs() const {
    return std::ranges::any_of(stages, [](const TuningStage& stage) {
      return stage.epochs > 0 && (stage.angles > 0 || stage.column_scales > 0);
    });
  }
};

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_TUNING_OPTIONS_H_
