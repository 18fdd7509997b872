#include "paroquant/method/output_error.h"

#include "paroquant/quant/dequantize.h"

namespace paroquant::method {

double RelativeOutputError(const ConstMatrixRef& weight, const quant::QuantizedLinear& linear,
                           const InputStatistics& statistics) {
  const double output = statistics.OutputEnergy(weight);
  if (output <= 0) return 0;
  const Matrix error = quant::EffectiveWeight(linear) - weight;
  return statistics.OutputEnergy(error) / output;
}

}  // namespace paroquant::method
