#include "paroquant/method/closed_form.h"

#include <utility>

#include "method/basis.h"
#include "method/column_scale.h"
#include "method/gptq.h"
#include "method/pairwise_rotation.h"

namespace paroquant::method {
namespace {

Basis ClosedFormBasis(const ConstMatrixRef& target, const ClosedFormOptions& options) {
  Basis basis = IdentityBasis(target.cols(), options.group_size);
  basis.channel_scales = InverseNormChannelScales(target, options.group_size);
  if (options.rotations > 0) {
    basis.rotation = FindRotation(ScaledChannels(target, ColumnScales(basis.channel_scales)),
                                  options.group_size, options.rotations);
  }
  return basis;
}

}  // namespace

quant::QuantizedLinear QuantizeClosedForm(const LinearProblem& problem,
                                          const ClosedFormOptions& options) {
  CheckFinite(problem);
  return QuantizeInBasis(problem, ClosedFormBasis(problem.target, options), options.bits,
                         options.damping);
}

}  // namespace paroquant::method
