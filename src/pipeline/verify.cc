#include "paroquant/pipeline/verify.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include "paroquant/base/error.h"
#include "paroquant/base/folder.h"
#include "paroquant/format/packed_format.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/model/weight_view.h"
#include "paroquant/pipeline/quantize.h"
#include "paroquant/quant/dequantize.h"
#include "paroquant/quant/packing.h"
#include "pipeline/carried_files.h"
#include "pipeline/checkpoint_report.h"
#include "pipeline/scale_folding.h"
#include "pipeline/surplus_tensors.h"

namespace paroquant::pipeline {
namespace {

using format::PackedLayers;
using format::QuantizationConfig;
using model::Checkpoint;

// Where no report says how close a layer should be: farther than any 2-bit rounding of sane
// weights, nearer than weights of another layer.
constexpr double kAnyWeightError = 0.5;
// Reported errors are recomputed from the same bits; only the order of sums may differ.
constexpr double kReportTolerance = 1e-3;
// What rounding to its type adds to the relative error of a weight that is stored as floats, with
// what it happens to have in common with the error of quantizing.
constexpr double kHalfRounding = 0x1.0p-17;
constexpr double kBFloat16Rounding = 0x1.0p-13;

// All linears of all blocks.
std::vector<model::LinearInfo> AllLinears(const model::Architecture& architecture) {
  std::vector<model::LinearInfo> linears;
  for (int64_t layer = 0; layer < architecture.layers; ++layer) {
    std::ranges::move(DescribeLinears(architecture, layer), std::back_inserter(linears));
  }
  return linears;
}

// A packed layer, unpacked and with all its values checked.
quant::QuantizedLinear ReadLinear(const PackedLayers& packed, const model::LinearInfo& info) {
  return quant::Unpack(quant::Copy(packed.Read(info)), info.name);
}

class Verifier {
 public:
  explicit Verifier(Progress& progress) : progress_(progress) {}

  std::vector<VerifyProblem> Run(const std::filesystem::path& folder,
                                 const std::optional<std::filesystem::path>& source) {
    if (!Exists(folder / model::kConfigFile)) Checkpoint::Open(folder);  // says why
    std::optional<Checkpoint> checkpoint;
    if (!Try([&] {
          checkpoint = Checkpoint::Open(folder);
          packed_.emplace(*checkpoint);
        })) {
      return problems_;
    }
    Try([&] { report_.Read(checkpoint->folder() / kProvenanceFile); });
    const std::vector<model::LinearInfo> linears = AllLinears(checkpoint->architecture());
    progress_.Start("verifying", static_cast<int64_t>(linears.size() * (source ? 2 : 1)));
    Try([&] { CheckConfig(*checkpoint, linears); });
    Try([&] { CheckUnquantized(*checkpoint); });
    for (const model::LinearInfo& info : linears) {
      Try([&] { CheckLinear(*checkpoint, info); });
      progress_.Advance(1, info.name);
    }
    if (source) {
      CheckSource(*checkpoint, Checkpoint::Open(*source), linears);
    } else {
      AddAll(SurplusTensors(*checkpoint, nullptr));
    }
    progress_.Finish();
    return problems_;
  }

 private:
  // Runs a check; an Error about the input becomes a problem.
  template <typename Check>
  bool Try(const Check& check) {
    try {
      check();
      return true;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInput && error.kind() != ErrorKind::kUnsupported) throw;
      Add(error.parts().where, error.parts().expected, error.parts().found);
      return false;
    }
  }

  void Add(std::string where, std::string expected, std::string found) {
    problems_.push_back({std::move(where), std::move(expected), std::move(found)});
  }

  void AddAll(const std::vector<VerifyProblem>& problems) {
    problems_.insert(problems_.end(), problems.begin(), problems.end());
  }

  // config.json's word on the model against the tensors.
  void CheckConfig(const Checkpoint& checkpoint, const std::vector<model::LinearInfo>& linears) {
    const std::string where = (checkpoint.folder() / model::kConfigFile).string();
    const auto& config = packed_->config();
    const auto packed = std::count_if(linears.begin(), linears.end(),
                                      [&](const auto& info) { return packed_->Has(info); });
    if (config && packed == 0) {
      Add(where, "a quantized layer, as quantization_config says", "none");
    } else if (!config && packed > 0) {
      Add(where, "a quantization_config", fmt::format("none, with {} packed layers", packed));
    }
    if (!config || packed == 0) return;
    if (config->format == format::FormatKind::kParoquant) CheckRotations(*config, linears);
    CheckLists(*config, linears);
    CheckSettings(checkpoint, *config, linears);
  }

  // Overrides give layers of their own bits and groups, but not all of them.
  void CheckSettings(const Checkpoint& checkpoint, const QuantizationConfig& config,
                     const std::vector<model::LinearInfo>& linears) {
    std::set<std::string> found;
    for (const model::LinearInfo& info : linears) {
      if (!packed_->Has(info)) continue;
      const quant::PackedView view = packed_->Read(info);
      if (view.bits == config.bits && view.group_size == format::GroupSizeOf(config, info)) return;
      found.insert(fmt::format("{} bits in groups of {}", view.bits, view.group_size));
    }
    Add((checkpoint.folder() / model::kConfigFile).string(),
        fmt::format("layers of {} bits in groups of {}, as quantization_config says", config.bits,
                    config.group_size),
        fmt::format("layers of {}", fmt::join(found, ", ")));
  }

  // Engines go by the config's list of what stays in 16 bits.
  void CheckLists(const QuantizationConfig& config, const std::vector<model::LinearInfo>& linears) {
    for (const model::LinearInfo& info : linears) {
      const std::optional<bool> kept = format::IsListedAsKept(config, info.name);
      if (!kept || *kept != packed_->Has(info)) continue;
      Add(info.name,
          *kept ? "a layer of 16 bits, as quantization_config lists it"
                : "a packed layer, as quantization_config does not list it",
          *kept ? "a packed one" : "one of 16 bits");
    }
  }

  void CheckRotations(const QuantizationConfig& config,
                      const std::vector<model::LinearInfo>& linears) {
    for (const model::LinearInfo& info : linears) {
      if (!packed_->Has(info)) continue;
      Try([&] {
        const int rounds = packed_->Read(info).rotation.rounds;
        if (rounds == config.rotations) return;
        Add(info.name + ".theta", fmt::format("krot = {} rotations", config.rotations),
            fmt::format("{}", rounds));
      });
    }
  }

  // What every model has beside its linears, and no weight that is not finite.
  void CheckUnquantized(const Checkpoint& checkpoint) {
    for (const model::TensorInfo& tensor : DescribeOtherTensors(checkpoint.architecture())) {
      Try([&] { checkpoint.FloatTensor(tensor.name, tensor.shape); });
    }
    model::RequireFinite(checkpoint.tensors());
  }

  void CheckLinear(const Checkpoint& checkpoint, const model::LinearInfo& info) {
    if (info.bias) checkpoint.FloatTensor(info.name + kBias, {info.out_features});
    if (packed_->Has(info)) {
      if (checkpoint.tensors().Find(info.WeightName()) != nullptr) {
        Add(info.name, "the layer either packed or in 16 bit", "both");
      }
      ReadLinear(*packed_, info);
      CheckSum(checkpoint, info, packed_->Names(info));
    } else {
      model::FindWeight(checkpoint, info);
      CheckSum(checkpoint, info, {info.WeightName()});
    }
  }

  void CheckSum(const Checkpoint& checkpoint, const model::LinearInfo& info,
                const std::vector<std::string>& tensors) {
    const ReportedLayer* reported = report_.Find(info.name);
    if (reported == nullptr || !reported->checksum) return;
    const uint32_t checksum = format::Checksum(checkpoint.tensors(), tensors);
    if (checksum != *reported->checksum) {
      Add(info.name, fmt::format("the checksum {:08x} of {}", *reported->checksum, kProvenanceFile),
          fmt::format("{:08x}: its bytes are not those that were written", checksum));
    }
  }

  void CheckSource(const Checkpoint& checkpoint, const Checkpoint& source,
                   const std::vector<model::LinearInfo>& linears) {
    std::set<std::string> replaced;
    std::set<std::string> foldable = FoldableNorms(source.architecture());
    for (const model::LinearInfo& info : linears) {
      foldable.insert(info.name + kBias);
      if (packed_->Has(info) || report_.Find(info.name) != nullptr) {
        replaced.insert(info.WeightName());
        Try([&] { CheckCloseness(checkpoint, source, info); });
      }
      progress_.Advance(1, info.name);
    }
    for (const io::TensorView& tensor : source.tensors().tensors()) {
      if (replaced.contains(tensor.name)) continue;
      const std::vector<uint16_t>* scales = report_.FindFolded(tensor);
      if (scales != nullptr && foldable.contains(tensor.name)) {
        const bool norm = !tensor.name.ends_with(kBias);
        const bool adds_one = norm && checkpoint.architecture().norms_add_one;
        Try([&] {
          const auto expected = FoldedTensor(tensor, *scales, adds_one);
          CheckIdentical(checkpoint, tensor, expected, "the source's values times channel scales");
        });
      } else {
        CheckIdentical(checkpoint, tensor, tensor.bytes, "the source's bytes");
      }
    }
    AddAll(SurplusTensors(checkpoint, &source));
    AddAll(DifferingFiles(checkpoint, source));
  }

  void CheckCloseness(const Checkpoint& checkpoint, const Checkpoint& source,
                      const model::LinearInfo& info) {
    const Matrix weight = model::ReadWeight(source, info);
    const double error =
        packed_->Has(info)
            ? FoldedWeightError(weight, ReadLinear(*packed_, info), report_.ScalesOf(info))
            : (model::ReadWeight(checkpoint, info) - weight).squaredNorm() / weight.squaredNorm();
    const ReportedLayer* reported = report_.Find(info.name);
    if (reported == nullptr) {
      if (!(error < kAnyWeightError)) {
        Add(info.name, fmt::format("a relative weight error under {}", kAnyWeightError),
            fmt::format("{:.4g}", error));
      }
      return;
    }
    const double expected = reported->weight_error;
    const double rounding = packed_->Has(info) ? 1e-9 : DenseRounding(checkpoint, info);
    if (!(std::abs(error - expected) <= kReportTolerance * expected + rounding)) {
      Add(info.name, fmt::format("the reported relative weight error {:.6g}", expected),
          fmt::format("{:.6g}", error));
    }
  }

  static double DenseRounding(const Checkpoint& checkpoint, const model::LinearInfo& info) {
    const io::TensorView* weight = checkpoint.tensors().Find(info.WeightName());
    const bool bfloat16 = weight != nullptr && weight->dtype == io::DType::kBF16;
    return bfloat16 ? kBFloat16Rounding : kHalfRounding;
  }

  void CheckIdentical(const Checkpoint& checkpoint, const io::TensorView& original,
                      std::span<const std::byte> expected, const char* description) {
    const io::TensorView* copy = checkpoint.tensors().Find(original.name);
    if (copy == nullptr) {
      Add(original.name, "the source's tensor", "nothing");
    } else if (copy->dtype != original.dtype || copy->shape != original.shape) {
      Add(original.name, "the source's dtype and shape", "others");
    } else if (!std::ranges::equal(copy->bytes, expected)) {
      Add(original.name, description, "others");
    }
  }

  Progress& progress_;
  std::vector<VerifyProblem> problems_;
  std::optional<PackedLayers> packed_;
  CheckpointReport report_;
};

}  // namespace

std::vector<VerifyProblem> Verify(const std::filesystem::path& folder,
                                  const std::optional<std::filesystem::path>& source,
                                  Progress& progress) {
  return Verifier(progress).Run(folder, source);
}

}  // namespace paroquant::pipeline
