#include "paroquant/method/output_error.h"

#include "paroquant/quant/dequantize.h"

namespace paroquant::method {

double OutputError(const ConstMatrixRef& weight, const quant::QuantizedLinear& linear,
                   const InputStatistics& statistics) {
  return statistics.OutputEnergy(quant::EffectiveWeight(linear) - weight);
}

double RelativeOutputError(const ConstMatrixRef& weight, const quant::QuantizedLinear& linear,
                           const InputStatistics& statistics, double output_energy) {
  return output_energy > 0 ? OutputError(weight, linear, statistics) / output_energy : 0;
}

double RelativeOutputError(const ConstMatrixRef& weight, const quant::QuantizedLinear& linear,
                           const InputStatistics& statistics) {
  return RelativeOutputError(weight, linear, statistics, statistics.OutputEnergy(weight));
}

}  // namespace paroquant::method
