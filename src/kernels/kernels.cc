#include "kernels/kernels.h"

#include "kernels/code_kernels.h"
#include "kernels/float_kernels.h"
#include "kernels/tile_kernels.h"

#define PAROQUANT_TEXT(name) #name
#define PAROQUANT_EXPANDED_TEXT(name) PAROQUANT_TEXT(name)

namespace paroquant::kernels {
namespace PAROQUANT_KERNELS {

extern const Kernels kKernels;
const Kernels kKernels = {
    .name = PAROQUANT_EXPANDED_TEXT(PAROQUANT_KERNELS),
    .multiply_tile = MultiplyTile<SimdFloat, float>,
    .multiply_double_tile = MultiplyTile<SimdDouble, double>,
    .interleave_rows = InterleaveRows,
    .add_tile = AddTile,
    .decode_half = DecodeHalf,
    .decode_bfloat16 = DecodeBFloat16,
    .dot_float = DotFloat,
    .dot_half = DotHalf,
    .dot_bfloat16 = DotBFloat16,
    .decode_nibbles = DecodeNibbles,
    .add_nibble_products = AddNibbleProducts,
    .rotate_round = RotateRound,
    .saturate = Saturate,
};

}  // namespace PAROQUANT_KERNELS
}  // namespace paroquant::kernels
