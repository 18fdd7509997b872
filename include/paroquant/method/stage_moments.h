// What the calibration tokens say about the linears that read the same input: how the input varies,
// and what the layers before have already lost.
#ifndef PAROQUANT_METHOD_STAGE_MOMENTS_H_
#define PAROQUANT_METHOD_STAGE_MOMENTS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "paroquant/base/matrix.h"
#include "paroquant/method/input_statistics.h"

namespace paroquant::method {

// What a stage's layers could repair, given as products with x, their input in the model as it is
// quantized so far.
enum class RepairForm {
  kNone,
  // d x^T with d = x_f - x, x_f the input in the 16-bit model: [K, K], the same for all linears.
  kInputs,
  // d x^T with d = W x_f + r_f - r, r_f and r the residual streams that the output is added to:
  // what the output would have to be, [N, K], for a stage of one linear.
  kOutputs,
};

// Sums over some of the calibration tokens.
struct HalfMoments {
  InputStatistics inputs;  // x x^T
  MatrixD repair;          // of d x^T, see RepairForm; empty for kNone
};

// The calibration in two halves, so that what one half suggests can be checked on the other, and
// statistics of held-out tokens, which nothing is fitted to.
struct StageMoments {
  // `differences` is the number of rows of d; 0 for kNone. `name` is the stage's place in the
  // model, for errors.
  StageMoments(const std::string& name, int64_t channels, RepairForm form, int64_t differences);

  RepairForm form;
  std::array<HalfMoments, 2> halves;
  InputStatistics held_out;
  // Of a stage of an expert, how many of the halves' tokens are those that go to it, and whether
  // they were too few, so that others were added.
  std::optional<int64_t> routed_tokens;
  bool blended = false;

  // Joins the inputs of both halves in the first and frees those of the second, once: of an MLP's
  // last linear they are the most that a run holds.
  const InputStatistics& JoinInputs();
  // Joins them and forgets what could be repaired.
  InputStatistics TakeInputs();
};

}  // namespace paroquant::method

#endif  // PAROQUANT_METHOD_STAGE_MOMENTS_H_
