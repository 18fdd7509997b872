#include "paroquant/method/quantize_linear.h"

#include <utility>

#include "method/basis.h"
#include "method/column_scale.h"
#include "method/gptq.h"
#include "method/hadamard_rotation.h"
#include "method/pairwise_rotation.h"
#include "method/random_pairs.h"
#include "method/round_to_nearest.h"

namespace paroquant::method {
namespace {

Basis ChooseBasis(const ConstMatrixRef& target, const LayerRecipe& recipe,
                  const LayerFormat& format) {
  const int64_t channels = target.cols();
  Basis basis = IdentityBasis(channels, format.group_size, format.rotations);
  if (recipe.channel_scales == ChannelScaleChoice::kInverseNorm) {
    basis.channel_scales = InverseNormChannelScales(target, format.group_size);
  }
  switch (recipe.rotation) {
    case RotationChoice::kNone:
      break;
    case RotationChoice::kHadamard:
      basis.rotation = HadamardRotation(channels, format.group_size, format.rotations);
      break;
    case RotationChoice::kClosedForm:
      basis.rotation = FindRotation(ScaledChannels(target, ColumnScales(basis.channel_scales)),
                                    format.group_size, format.rotations);
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
  Basis basis = ChooseBasis(problem.target, recipe, format);
  if (recipe.rounding == RoundingChoice::kNearest) {
    return RoundToNearest(problem.target, std::move(basis), format.bits);
  }
  return QuantizeInBasis(problem, std::move(basis), format.bits, recipe.damping);
}

}  // namespace paroquant::method
