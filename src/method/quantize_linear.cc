#include "paroquant/method/quantize_linear.h"

#include <array>
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
#include "paroquant/quant/dequantize.h"
#include "paroquant/quant/rotation.h"

namespace paroquant::method {
namespace {

std::vector<uint16_t> ChooseChannelScales(const LinearProblem& problem, const LayerRecipe& recipe,
                                          const LayerFormat& format) {
  switch (recipe.channel_scales) {
    case ChannelScaleChoice::kInverseNorm:
      return InverseNormChannelScales(problem.target, format.group_size);
    case ChannelScaleChoice::kActivationAware:
      return ActivationAwareChannelScales(problem, format.bits, format.group_size);
    case ChannelScaleChoice::kNone:
      break;
  }
  return IdentityBasis(problem.target.cols(), format.group_size).channel_scales;
}

quant::QuantizedLinear Round(const LinearProblem& problem, Basis basis, const LayerRecipe& recipe,
                             int bits) {
  if (recipe.rounding == RoundingChoice::kNearest) {
    return RoundToNearest(problem, std::move(basis), bits, recipe.grid);
  }
  return QuantizeInBasis(problem, std::move(basis), bits, recipe.damping, recipe.grid);
}

// Of the rotations that the expected errors suggest, the Hadamard transform and none, the one with
// which held-out tokens lose least; the first if there are no such tokens. Feedback between rows
// stays out of it: it trades the layer's own error for the model's.
quant::Rotation BestRotation(LinearProblem problem, const Basis& basis, const LayerRecipe& recipe,
                             const LayerFormat& format) {
  const int64_t channels = problem.target.cols();
  std::array candidates = {ChooseRotation(RotatedChannels(problem.target, basis),
                                          DampedMoment(*problem.statistics, basis, recipe.damping),
                                          format.group_size, format.rotations),
                           HadamardRotation(channels, format.group_size, format.rotations),
                           quant::IdentityRotation(channels, format.group_size, format.rotations)};
  if (problem.held_out == nullptr || problem.held_out->tokens() == 0) return candidates[0];
  problem.output_moment = nullptr;
  quant::Rotation* best = nullptr;
  double least = 0;
  for (quant::Rotation& candidate : candidates) {
    const auto linear = Round(problem, {basis.channel_scales, candidate}, recipe, format.bits);
    const double error =
        problem.held_out->OutputEnergy(quant::EffectiveWeight(linear) - problem.target);
    if (best != nullptr && error >= least) continue;
    best = &candidate;
    least = error;
  }
  return std::move(*best);
}

Basis ChooseBasis(const LinearProblem& problem, const LayerRecipe& recipe,
                  const LayerFormat& format) {
  const int64_t channels = problem.target.cols();
  Basis basis = IdentityBasis(channels, format.group_size, format.rotations);
  basis.channel_scales = ChooseChannelScales(problem, recipe, format);
  switch (recipe.rotation) {
    case RotationChoice::kNone:
      break;
    case RotationChoice::kHadamard:
      basis.rotation = HadamardRotation(channels, format.group_size, format.rotations);
      break;
    case RotationChoice::kClosedForm:
      basis.rotation =
          FindRotation(RotatedChannels(problem.target, basis), format.group_size, format.rotations);
      break;
    case RotationChoice::kBest:
      basis.rotation = BestRotation(problem, basis, recipe, format);
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
  return Round(problem, ChooseBasis(problem, recipe, format), recipe, format.bits);
}

}  // namespace paroquant::method
