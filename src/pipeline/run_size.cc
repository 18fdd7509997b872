#include "pipeline/run_size.h"

#include <algorithm>

namespace paroquant::pipeline {

RunSize MeasureRun(const model::Architecture& architecture, const method::Recipe& recipe) {
  RunSize size{.length = std::min(recipe.sequence_length, architecture.max_positions)};
  size.held_out = recipe.held_out_sequences * size.length;
  size.all = size.held_out + recipe.calibration_sequences * size.length;
  const bool all = recipe.layer.UsesRepairs() || recipe.tuning.Tunes() || recipe.UsesGradients();
  size.reference = all ? size.all : size.held_out;
  if (recipe.UsesGradients()) {
    const int64_t half = (recipe.calibration_sequences + 1) / 2;
    size.gradients = std::min(recipe.layer.row_feedback_sequences, half) * size.length;
  }
  return size;
}

}  // namespace paroquant::pipeline
