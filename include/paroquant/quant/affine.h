// The group-wise affine quantizer: a group of weights of one row shares a scale and a zero point.
// Rounding is half to even throughout.
#ifndef PAROQUANT_QUANT_AFFINE_H_
#define PAROQUANT_QUANT_AFFINE_H_

#include <algorithm>
#include <cstdint>
#include <span>

#include "paroquant/base/matrix.h"

namespace paroquant::quant {

// A code stands for the value (code - zero) * scale; codes and zero lie in [0, 2^bits).
struct Grid {
  float scale = 1.0F;
  int zero = 0;
};

// Is a grid's zero point chosen, or that of symmetric codes, 2^(bits - 1)?
enum class ZeroPoint { kFree, kMiddle };

// The least positive half: no scale is smaller.
inline constexpr float kMinHalf = 0x1.0p-24F;

inline int MaxCode(int bits) { return (1 << bits) - 1; }

// A whole number as a code or a zero point: the nearest in [0, 2^bits). 0 for what is no number, as
// weights at the end of float's range become on the way; to convert that is undefined.
inline int ToCode(float whole, int bits) {
  return whole > 0 ? static_cast<int>(std::min(whole, static_cast<float>(MaxCode(bits)))) : 0;
}

// The grid from the least to the greatest weight of a group, widened to contain 0, its scale a
// half that is finite and > 0. With kMiddle from minus the greatest magnitude to that (as GPTQ has
// it, arXiv 2210.17323). Any finite group, be it constant, all-positive or zero, comes back within
// about one step.
Grid MinMaxGrid(std::span<const float> group, int bits, ZeroPoint zero = ZeroPoint::kFree);

enum class ScaleType { kFloat, kHalf };
// The grid of the reference implementation, which does not widen the range and so ruins groups
// without a change of sign; here to compare with it bit for bit. With kHalf the scale is rounded
// to a half first and the zero point recomputed with it.
Grid ReferenceMinMaxGrid(std::span<const float> group, int bits, ScaleType scale_type);

// codes[i] = clamp(round(group[i] / scale) + zero, 0, 2^bits - 1).
void QuantizeGroup(std::span<const float> group, const Grid& grid, int bits,
                   std::span<uint8_t> codes);
// group[i] = (codes[i] - zero) * scale.
void DequantizeGroup(std::span<const uint8_t> codes, const Grid& grid, std::span<float> group);

// The same group of n rows with a grid for each.
struct RowGrids {
  Vector scales;  // [n], each representable as a half
  Vector zeros;   // [n], integers
};

// For each row the grid that minimises sum_i importance_i (w_i - dequantized_i)^2, found among 18
// factors 0.55 .. 1.05 of the range times two zero points about its centre, and improved by two
// refits scale = sum importance w c / sum importance c^2, c = code - zero, with neighbours of the
// zero point (with kMiddle there is but one). Scales are rounded to halves before they are judged;
// never worse than MinMaxGrid.
// `weights` is channel-major, [g, n]: what is done 42 times to each weight is then the same
// operation on 16 rows. `importance` [g] is >= 0.
RowGrids SearchGrids(const ConstMatrixRef& weights, std::span<const float> importance, int bits,
                     ZeroPoint zero = ZeroPoint::kFree);

}  // namespace paroquant::quant

#endif  // PAROQUANT_QUANT_AFFINE_H_
