// Tensors of a golden file as matrices.
#ifndef PAROQUANT_TESTS_QUANT_GOLDEN_TENSORS_H_
#define PAROQUANT_TESTS_QUANT_GOLDEN_TENSORS_H_

#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "paroquant/base/half.h"
#include "paroquant/base/matrix.h"
#include "paroquant/io/safetensors.h"
#include "tests/testing/paths.h"

namespace paroquant::quant::testing {

class GoldenTensors {
 public:
  explicit GoldenTensors(const std::string& name)
      : file_(io::SafetensorsFile::Open(paroquant::testing::GoldenPath(name))) {}

  const io::TensorView& View(const std::string& name) const {
    const io::TensorView* view = file_.Find(name);
    if (view == nullptr) throw std::runtime_error("no golden tensor " + name);
    return *view;
  }

  // The stored values, of exactly this type.
  template <typename T>
  std::vector<T> Values(const std::string& name) const {
    const io::TensorView& view = View(name);
    if (io::DTypeSize(view.dtype) != sizeof(T)) throw std::runtime_error("wrong type: " + name);
    std::vector<T> values(static_cast<size_t>(view.elements()));
    std::memcpy(values.data(), view.bytes.data(), view.bytes.size());
    return values;
  }

  // A two-dimensional tensor of floats of any width.
  template <typename Scalar>
  MatrixOf<Scalar> Get(const std::string& name) const {
    switch (View(name).dtype) {
      case io::DType::kF64:
        return As<Scalar>(name, Values<double>(name));
      case io::DType::kF32:
        return As<Scalar>(name, Values<float>(name));
      case io::DType::kF16: {
        std::vector<float> floats;
        for (const uint16_t bits : Values<uint16_t>(name)) floats.push_back(HalfToFloat(bits));
        return As<Scalar>(name, floats);
      }
      default:
        throw std::runtime_error("no floats: " + name);
    }
  }

 private:
  // A vector becomes a matrix of one row.
  template <typename Scalar, typename T>
  MatrixOf<Scalar> As(const std::string& name, const std::vector<T>& values) const {
    const std::vector<int64_t>& shape = View(name).shape;
    return Eigen::Map<const MatrixOf<T>>(values.data(), shape.size() == 2 ? shape[0] : 1,
                                         shape.back())
        .template cast<Scalar>();
  }

  io::SafetensorsFile file_;
};

}  // namespace paroquant::quant::testing

#endif  // PAROQUANT_TESTS_QUANT_GOLDEN_TENSORS_H_
