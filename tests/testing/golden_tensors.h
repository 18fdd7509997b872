// Tensors out of golden files.
#ifndef PAROQUANT_TESTS_TESTING_GOLDEN_TENSORS_H_
#define PAROQUANT_TESTS_TESTING_GOLDEN_TENSORS_H_

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/io/safetensors.h"

namespace paroquant::testing {

inline const io::TensorView& GoldenTensor(const io::SafetensorsFile& file,
                                          const std::string& name) {
  const io::TensorView* tensor = file.Find(name);
  if (tensor == nullptr) throw std::runtime_error("no golden tensor " + name);
  return *tensor;
}

// The elements as they are stored; T must be of the tensor's size.
template <typename T>
std::vector<T> GoldenValues(const io::SafetensorsFile& file, const std::string& name) {
  const io::TensorView& tensor = GoldenTensor(file, name);
  if (io::DTypeSize(tensor.dtype) != sizeof(T)) throw std::runtime_error("element size of " + name);
  std::vector<T> values(static_cast<size_t>(tensor.elements()));
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

// A tensor [rows, columns] of floats or doubles.
template <typename Scalar>
MatrixOf<Scalar> GoldenMatrix(const io::SafetensorsFile& file, const std::string& name) {
  const io::TensorView& tensor = GoldenTensor(file, name);
  const std::vector<Scalar> values = GoldenValues<Scalar>(file, name);
  return Eigen::Map<const MatrixOf<Scalar>>(values.data(), tensor.shape.at(0), tensor.shape.at(1));
}

}  // namespace paroquant::testing

#endif  // PAROQUANT_TESTS_TESTING_GOLDEN_TENSORS_H_
