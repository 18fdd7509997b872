// What a quantization method produces and everything else consumes: plain data, unpacked, with
// every continuous value already rounded to the half it will be stored as.
#ifndef PAROQUANT_QUANT_QUANTIZED_LINEAR_H_
#define PAROQUANT_QUANT_QUANTIZED_LINEAR_H_

#include <cstdint>
#include <string>
#include <vector>

namespace paroquant::quant {

// Rounds of independent Givens rotations inside groups of channels (arXiv 2511.10645, section 3).
// In round r the pair t of group G is (i, j) = pairs[r][G*g + 2t], pairs[r][G*g + 2t + 1] with
// angle theta[r][G*g/2 + t], c and s its cosine and sine:
//   x_i' = c x_i + s x_j,   x_j' = -s x_i + c x_j.
struct Rotation {
  int64_t channels = 0;         // K
  int group_size = 0;           // g, divides K
  int rounds = 0;               // 0: no rotation
  std::vector<int16_t> pairs;   // [rounds, K], ids inside the group, a permutation of each group
  std::vector<uint16_t> theta;  // [rounds, K/2] halves, radians
};

// A linear layer y = W x whose weight W [N, K] is held as
//   W = unrotate(dequantize(codes)) * diag(channel_scales),
//   dequantize: (code - zero) * scale, per row and group of `group_size` input channels.
// At run time x is multiplied by channel_scales and rotated, then by the dequantized codes.
struct QuantizedLinear {
  int64_t out_features = 0;              // N
  int64_t in_features = 0;               // K
  int bits = 4;                          // codes and zeros lie in [0, 2^bits)
  int group_size = 128;                  // g
  std::vector<uint8_t> codes;            // [N, K]
  std::vector<uint8_t> zeros;            // [N, K/g]
  std::vector<uint16_t> scales;          // [N, K/g] halves, finite, > 0
  std::vector<uint16_t> channel_scales;  // [K] halves, finite, > 0: the INVERSE of the scale s that
                                         // multiplied the weight's columns
  Rotation rotation;
  // Position i of the K above is input channel order[i], a permutation; empty: channel i. At run
  // time x is brought into this order first. Checkpoints made with "act order" have one, so that
  // channels of like importance share a group.
  std::vector<int32_t> order = {};
};

// The code of weight 0 in a symmetric layer, and whether all zero points of a layer are that.
inline uint8_t MiddleCode(int bits) {
  return static_cast<uint8_t>(1U << static_cast<unsigned>(bits - 1));
}
bool IsSymmetric(const QuantizedLinear& linear);

// Why `rotation` breaks a rule stated above (sizes, pairs that are no permutation, an angle that is
// no number), or "".
std::string RotationProblem(const Rotation& rotation);

// Why `linear` breaks a rule stated above (sizes, ranges, pairs or an order that are no
// permutation), or "".
std::string Problem(const QuantizedLinear& linear);

}  // namespace paroquant::quant

#endif  // PAROQUANT_QUANT_QUANTIZED_LINEAR_H_
