#include "paroquant/method/output_error.h"

#include "paroquant/quant/dequantize.h"

namespace paroquant::method {

double OutputError(const ConstMatrixRef& weight, const quant::QuantizedLinear& linear,
                   const InputStatistics& statistics) {
  return statistics.OutputEnergy(quant::EffectiveWeight(linear) - weight);
}

double RelativeOutputError(const ConstMatrixRef& weight, const quant::QuantizedLinear& linear,
                           const InputStatistics& statistics) {
  const double output = statistics.OutputEnergy(weight);
  return output > 0 ? OutputError(weight, linear, statistics) / output : 0;
}

}  // namespace paroquant::method
