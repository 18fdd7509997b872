// The elementwise middle of a gated MLP.
#ifndef PAROQUANT_NN_GATED_MLP_H_
#define PAROQUANT_NN_GATED_MLP_H_

#include "paroquant/base/matrix.h"
#include "paroquant/model/architecture.h"

namespace paroquant::nn {

// activation(gate) * up, all of one shape.
Matrix GatedProduct(model::Activation activation, const Matrix& gate, const Matrix& up);

// From the gradient at that product, which `gate_gradient` holds at first, to those at gate and up.
void GatedProductBackward(model::Activation activation, const Matrix& gate, const Matrix& up,
                          Matrix& gate_gradient, Matrix& up_gradient);

}  // namespace paroquant::nn

#endif  // PAROQUANT_NN_GATED_MLP_H_
