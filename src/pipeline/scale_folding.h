// Channel scales where the layout has no place for them. As AWQ does (arXiv 2306.00978, section
// 3.2), the operation before multiplies its outputs by them: a norm's weight, or the rows of a
// linear layer that reach the inputs without anything between but products.
#ifndef PAROQUANT_PIPELINE_SCALE_FOLDING_H_
#define PAROQUANT_PIPELINE_SCALE_FOLDING_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "paroquant/base/matrix.h"
#include "paroquant/format/packed_format.h"
#include "paroquant/io/safetensors_writer.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/pipeline/layer_plan.h"
#include "paroquant/pipeline/quantize_options.h"
#include "paroquant/quant/quantized_linear.h"

namespace paroquant::pipeline {

inline constexpr char kBias[] = ".bias";  // behind a module's name

// Does the recipe find channel scales, and nothing else done to inputs, for a layout without them?
bool FoldsScales(const QuantizeOptions& options);

// Decides where the scales of each layer go. Layers that read the same norm share theirs, by
// basis_group. Where nothing can take them up, or a layer that reads the same input stays in 16
// bits, they stay at 1.
void PlanFolding(const model::Architecture& architecture, std::vector<LayerPlan>& plans);
// The norms, as tensors, that can take scales up.
std::set<std::string> FoldableNorms(const model::Architecture& architecture);
// What the user should know of it.
std::vector<std::string> FoldingNotes(const std::vector<LayerPlan>& plans);
// The source's tensors, other than weights that are quantized, that are written changed.
std::vector<io::TensorSpec> FoldedSpecs(const model::Checkpoint& source,
                                        const std::vector<LayerPlan>& plans);

// What a layer as it is stored has taken up of scales, as halves; empty: nothing.
struct FoldedScales {
  std::vector<uint16_t> columns;  // the layer's own: the weight was divided by them
  std::vector<uint16_t> rows;     // of the layer behind: the last rows were multiplied by them
};

// The layers of a block as the checkpoint holds them.
struct FoldedBlock {
  std::vector<quant::QuantizedLinear> linears;  // without channel scales, if they are folded
  std::vector<FoldedScales> scales;             // of each
  std::vector<format::PackedTensor> tensors;    // see FoldedSpecs
};
// `plans` and `linears` are the block's quantized layers. Throws kUnsupported for a value that its
// type cannot hold.
FoldedBlock FoldScales(const model::Checkpoint& source, std::span<const LayerPlan* const> plans,
                       std::vector<quant::QuantizedLinear> linears);

// A norm's weight, or a bias, whose last entries are multiplied by scales: w becomes s w, or
// (1 + w) s - 1 if the norm adds 1 to its weight, in the tensor's own type. Throws kUnsupported for
// a product that F16 cannot hold.
std::vector<std::byte> FoldedTensor(const io::TensorView& tensor,
                                    const std::vector<uint16_t>& scales, bool adds_one);

// quant::RelativeWeightError of a stored layer [N, K] with what it has taken up taken back.
double FoldedWeightError(const ConstMatrixRef& weight, quant::QuantizedLinear linear,
                         const FoldedScales& scales);
// The same of a weight that is stored dequantized.
double FoldedWeightError(const ConstMatrixRef& weight, Matrix stored, const FoldedScales& scales);

// Halves as text, four hexadecimal digits each, and back; none for a text that is no such.
std::string ToHex(const std::vector<uint16_t>& halves);
std::vector<uint16_t> FromHex(const std::string& text);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_SCALE_FOLDING_H_
