// Codes packed into 32-bit words as the paroquant checkpoint layout has them.
#ifndef PAROQUANT_QUANT_PACKING_H_
#define PAROQUANT_QUANT_PACKING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "paroquant/quant/quantized_linear.h"

namespace paroquant::quant {

// A QuantizedLinear as it is stored, tensor by tensor. A row of codes, 32 / bits to a word, runs
// along the N output features of one input channel:
//   4 bits: nibble i of a word is column {0, 2, 4, 6, 1, 3, 5, 7}[i] of its eight (the order of
//           AWQ): columns holding 0, 1, ..., 7 make the word 0x75316420;
//   2, 8 bits: in sequence from the least significant bits;
//   3 bits: a bit stream in the same sequence that crosses words, 32 columns in three words.
struct PackedLinear {
  int64_t out_features = 0;  // N
  int64_t in_features = 0;   // K
  int bits = 4;
  int group_size = 128;                  // g
  int rounds = 0;                        // R
  std::vector<uint32_t> qweight;         // [K, N * bits / 32]
  std::vector<uint32_t> qzeros;          // [K/g, N * bits / 32], the true zero points (no - 1)
  std::vector<uint16_t> scales;          // [K/g, N] halves
  std::vector<uint16_t> channel_scales;  // [K] halves
  std::vector<uint16_t> theta;           // [R, K/2] halves
  std::vector<int16_t> pairs;            // [R, K]
  std::vector<int32_t> order = {};       // [K] or none
};

// What N must be a multiple of, so that a row of codes fills whole words: 16, 32, 8 and 4 for 2, 3,
// 4 and 8 bits.
int PackingMultiple(int bits);

// Requires Problem(linear) == "". Throws kUnsupported if N is no multiple of PackingMultiple(bits);
// `where` names the layer in errors.
PackedLinear Pack(const QuantizedLinear& linear, const std::string& where);

// The inverse, which loses nothing. Throws kInput if the tensors' sizes do not fit together or
// their content breaks a rule of QuantizedLinear.
QuantizedLinear Unpack(const PackedLinear& packed, const std::string& where);

}  // namespace paroquant::quant

#endif  // PAROQUANT_QUANT_PACKING_H_
