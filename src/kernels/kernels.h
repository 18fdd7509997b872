// The inner loops that take nearly all of the time, once for each instruction set.
//
// kernels.cc is compiled several times with different flags. So that no code of an instruction set
// that a machine lacks gets into what all machines run, it includes nothing that holds inline
// functions: no Eigen, no standard library.
#ifndef PAROQUANT_KERNELS_KERNELS_H_
#define PAROQUANT_KERNELS_KERNELS_H_

#include <stdint.h>

namespace paroquant::kernels {

// A product C [M, N] = A [M, K] B [K, N] is cut into tiles of kTileRows x kTileColumns whose sums
// stay in registers. A is packed in *slabs* of kTileRows rows, [K][kTileRows] each, and B in
// *strips* of kTileColumns columns, [K][kTileColumns] each, so that both are read from front to
// back (K. Goto and R. van de Geijn, "Anatomy of high-performance matrix multiplication", 2008).
// With AVX-512 a tile fills 24 of 32 registers; others cut it further.
inline constexpr int64_t kTileRows = 12;
inline constexpr int64_t kTileColumns = 32;
// Numbers in double precision fill the same registers with half as many columns.
inline constexpr int64_t kDoubleTileColumns = kTileColumns / 2;

// Numbers that pass a rotation side by side.
inline constexpr int64_t kRotationLanes = 16;

// Nibbles of a word of packed 4-bit codes.
inline constexpr int64_t kNibbles = 8;

// All but `portable` use fused multiply-adds, in the same order: their results are the same bits.
struct Kernels {
  const char* name;

  // c[row * stride + column] += sum over k of slab[k * kTileRows + row] * strip[k * kTileColumns +
  // column], for all kTileColumns columns of the first `rows` rows. k runs upwards.
  void (*multiply_tile)(int64_t rows, int64_t k, const float* slab, const float* strip, float* c,
                        int64_t stride);

  // The same for kDoubleTileColumns columns in double precision.
  void (*multiply_double_tile)(int64_t rows, int64_t k, const double* slab, const double* strip,
                               double* c, int64_t stride);

  // packed[k * width + row] = rows[row * stride + k] for 0 <= k < depth and 0 <= row < width;
  // width is a multiple of 4.
  void (*interleave_rows)(const float* rows, int64_t stride, int64_t depth, int64_t width,
                          float* packed);

  // sum[row * stride + column] += tile[row * kTileColumns + column].
  void (*add_tile)(int64_t rows, int64_t columns, const float* tile, double* sum, int64_t stride);

  // 16-bit floats (bits, at any alignment) to float32.
  void (*decode_half)(const void* source, int64_t count, float* target);
  void (*decode_bfloat16)(const void* source, int64_t count, float* target);

  // Sum of x[i] w[i] for w in float32, float16 or bfloat16, at any alignment; summed in 32 lanes.
  float (*dot_float)(const void* w, const float* x, int64_t count);
  float (*dot_half)(const void* w, const float* x, int64_t count);
  float (*dot_bfloat16)(const void* w, const float* x, int64_t count);

  // target[i] = (code[i] - zeros[i]) * scales[i] for 4-bit codes in the order of
  // quant::PackedLinear; count is a multiple of kNibbles. Null: no zeros (0), no scales (1).
  void (*decode_nibbles)(const uint32_t* words, int64_t count, const float* zeros,
                         const float* scales, float* target);

  // sums[j * sums_stride + w] += sum over rows of input[row] * the code of column j of the eight
  // of codes[row * stride + w], for 0 <= w < words.
  void (*add_nibble_products)(const uint32_t* codes, int64_t stride, int64_t rows, int64_t words,
                              const float* input, float* sums, int64_t sums_stride);

  // One round of a rotation, for kRotationLanes numbers of each channel of `tile` [channels,
  // lanes]: a' = cos a + sin b and b' = cos b - sin a for each pair (a, b) = (first, second); the
  // inverse if sign is -1.
  void (*rotate_round)(const int16_t* first, const int16_t* second, const float* cosine,
                       const float* sine, float sign, int64_t pairs, float* tile);

  // Multiply-adds on registers alone, `steps` rounds; gives the floating-point operations done.
  // What no program exceeds, to measure others by.
  double (*saturate)(int64_t steps);
};

// The best that this machine runs, unless another was selected.
const Kernels& ActiveKernels();

// Uses another of SupportedInstructionSets() from now on: for tests, while nothing is computed.
void SelectInstructionSet(const char* name);

}  // namespace paroquant::kernels

#endif  // PAROQUANT_KERNELS_KERNELS_H_
