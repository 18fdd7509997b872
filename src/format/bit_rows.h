// Small integers one after the other in 32-bit words, from the lowest bit on: as GPTQ and
// compressed-tensors have them.
#ifndef PAROQUANT_FORMAT_BIT_ROWS_H_
#define PAROQUANT_FORMAT_BIT_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace paroquant::format {

// values [rows, columns] -> words [rows, columns * bits / 32], which must be whole. 3-bit values
// cross words.
std::vector<uint32_t> PackRows(const std::vector<uint8_t>& values, int64_t columns, int bits);
std::vector<uint8_t> UnpackRows(const std::vector<uint32_t>& words, int64_t columns, int bits);

// [rows, columns] -> [columns, rows].
template <typename T>
std::vector<T> Transpose(const std::vector<T>& values, int64_t columns) {
  const auto width = static_cast<std::size_t>(columns);
  const std::size_t rows = width == 0 ? 0 : values.size() / width;
  std::vector<T> result(values.size());
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < width; ++column) {
      result[column * rows + row] = values[row * width + column];
    }
  }
  return result;
}

}  // namespace paroquant::format

#endif  // PAROQUANT_FORMAT_BIT_ROWS_H_
