#include "paroquant/method/quantize_linear.h"

#include <optional>
#include <utility>
#include <vector>

#include "method/basis.h"
#include "method/column_scale.h"
#include "method/gptq.h"
#include "method/hadamard_rotation.h"
#include "method/pairwise_rotation.h"
#include "method/random_pairs.h"
#include "method/rotation_choice.h"
#include "method/round_to_nearest.h"
#include "paroquant/method/output_error.h"
#include "paroquant/quant/rotation.h"

namespace paroquant::method {
namespace {

std::vector<uint16_t> ChooseChannelScales(const LinearProblem& problem, const LayerRecipe& recipe,
                                          const LayerFormat& format) {
  switch (recipe.channel_scales) {
    case ChannelScaleChoice::kInverseNorm:
      return InverseNormChannelScales(problem.target, format.group_size);
    case ChannelScaleChoice::kActivationAware:
      return ActivationAwareChannelScales(problem, format.bits, format.group_size,
                                          recipe.Grids().zero);
    case ChannelScaleChoice::kNone:
      break;
  }
  return IdentityBasis(problem.target.cols(), format.group_size).channel_scales;
}

quant::QuantizedLinear Round(const LinearProblem& problem, Basis basis, const LayerRecipe& recipe,
                             int bits) {
  if (recipe.rounding == RoundingChoice::kNearest) {
    return RoundToNearest(problem, std::move(basis), bits, recipe.Grids());
  }
  return QuantizeInBasis(problem, std::move(basis), bits, recipe.damping, recipe.Grids(),
                         recipe.descent_passes);
}

// In the basis of the best rotation: of those that the expected errors suggest, the Hadamard
// transform and none, the one with which held-out tokens lose least; the first if there are no such
// tokens. Feedback between rows stays out of the choice, for it trades the layer's own error for
// the model's, and so does descent, which takes as long as rounding.
quant::QuantizedLinear RoundInBestBasis(const LinearProblem& problem, const Basis& basis,
                                        const LayerRecipe& recipe, const LayerFormat& format) {
  const int64_t channels = problem.target.cols();
  const auto suggested = ChooseRotation(RotatedChannels(problem.target, basis),
                                        DampedMoment(*problem.statistics, basis, recipe.damping),
                                        format.group_size, format.rotations);
  if (problem.held_out == nullptr || problem.held_out->tokens() == 0) {
    return Round(problem, {basis.channel_scales, suggested}, recipe, format.bits);
  }
  LinearProblem by_itself = problem;
  by_itself.output_moment = nullptr;
  LayerRecipe without_descent = recipe;
  without_descent.descent_passes = 0;
  std::optional<quant::QuantizedLinear> best;
  double least = 0;
  for (const quant::Rotation& rotation :
       {suggested, HadamardRotation(channels, format.group_size, format.rotations),
        quant::IdentityRotation(channels, format.group_size, format.rotations)}) {
    auto linear = Round(by_itself, {basis.channel_scales, rotation}, without_descent, format.bits);
    const double error = OutputError(problem.target, linear, *problem.held_out);
    if (best && !(error < least)) continue;
    best = std::move(linear);
    least = error;
  }
  if (problem.output_moment == nullptr && !recipe.UsesDescent()) return *std::move(best);
  return Round(problem, {basis.channel_scales, best->rotation}, recipe, format.bits);
}

Basis ChooseBasis(const LinearProblem& problem, const LayerRecipe& recipe,
                  const LayerFormat& format) {
  const int64_t channels = problem.target.cols();
  Basis basis = IdentityBasis(channels, format.group_size, format.rotations);
  basis.channel_scales = ChooseChannelScales(problem, recipe, format);
  switch (recipe.rotation) {
    case RotationChoice::kNone:
    case RotationChoice::kBest:  // found by rounding, see above
      break;
    case RotationChoice::kHadamard:
      basis.rotation = HadamardRotation(channels, format.group_size, format.rotations);
      break;
    case RotationChoice::kClosedForm:
      basis.rotation =
          FindRotation(RotatedChannels(problem.target, basis), format.group_size, format.rotations);
      break;
    case RotationChoice::kRandomPairs:
      basis.rotation = RandomPairs(channels, format.group_size, format.rotations, format.seed);
      break;
  }
  return basis;
}

}  // namespace

quant::QuantizedLinear QuantizeLinear(const LinearProblem& problem, const LayerRecipe& recipe,
                                      const LayerFormat& format) {
  CheckFinite(problem);
  if (format.basis_of != nullptr) {
    return Round(problem, {format.basis_of->channel_scales, format.basis_of->rotation}, recipe,
                 format.bits);
  }
  const Basis basis = ChooseBasis(problem, recipe, format);
  return recipe.rotation == RotationChoice::kBest ? RoundInBestBasis(problem, basis, recipe, format)
                                                  : Round(problem, basis, recipe, format.bits);
}

}  // namespace paroquant::method
