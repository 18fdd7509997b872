#include "nn/gated_mlp.h"

#include "nn/row_slices.h"

namespace paroquant::nn {
namespace {

using model::Activation;

// gelu(g) = g/2 (1 + tanh(u)), u = a (g + b g^3): the approximation of arXiv 1606.08415.
constexpr float kGeluA = 0.7978845608028654F;  // sqrt(2 / pi)
constexpr float kGeluB = 0.044715F;

template <typename Values>
auto Sigmoid(const Values& g) {
  return 1.0F / (1.0F + (-g).exp());
}

template <typename Values>
auto GeluTanh(const Values& g) {
  return (kGeluA * (g + kGeluB * g.cube())).tanh();
}

}  // namespace

Matrix GatedProduct(Activation activation, const Matrix& gate, const Matrix& up) {
  Matrix product(gate.rows(), gate.cols());
  ForEachRowSlice(gate.rows(), [&](int64_t first, int64_t count) {
    const auto g = gate.middleRows(first, count).array();
    const auto u = up.middleRows(first, count).array();
    auto target = product.middleRows(first, count).array();
    if (activation == Activation::kSilu) {
      target = g / (1.0F + (-g).exp()) * u;
    } else {
      target = 0.5F * g * (1.0F + GeluTanh(g)) * u;
    }
  });
  return product;
}

// silu'(g) = s (1 + g (1 - s)), s = 1 / (1 + e^-g);
// gelu'(g) = (1 + t) / 2 + g/2 (1 - t^2) a (1 + 3 b g^2), t = tanh(u).
void GatedProductBackward(Activation activation, const Matrix& gate, const Matrix& up,
                          Matrix& gate_gradient, Matrix& up_gradient) {
  up_gradient.resize(gate.rows(), gate.cols());
  ForEachRowSlice(gate.rows(), [&](int64_t first, int64_t count) {
    const auto g = gate.middleRows(first, count).array();
    const auto u = up.middleRows(first, count).array();
    auto gradient = gate_gradient.middleRows(first, count).array();
    auto through_up = up_gradient.middleRows(first, count).array();
    if (activation == Activation::kSilu) {
      const Eigen::ArrayXXf sigmoid = Sigmoid(g);
      through_up = gradient * g * sigmoid;
      gradient = gradient * u * sigmoid * (1.0F + g * (1.0F - sigmoid));
    } else {
      const Eigen::ArrayXXf t = GeluTanh(g);
      through_up = gradient * 0.5F * g * (1.0F + t);
      gradient =
          gradient * u * 0.5F *
          (1.0F + t + g * (1.0F - t.square()) * kGeluA * (1.0F + 3.0F * kGeluB * g.square()));
    }
  });
}

}  // namespace paroquant::nn
