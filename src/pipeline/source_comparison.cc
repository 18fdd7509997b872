#include "pipeline/source_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "paroquant/model/weight_view.h"
#include "paroquant/quant/packing.h"
#include "pipeline/carried_files.h"
#include "pipeline/problem_list.h"
#include "pipeline/scale_folding.h"
#include "pipeline/surplus_tensors.h"

namespace paroquant::pipeline {
namespace {

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

// The first setting that makes them models of different shape, or "".
std::string OtherShape(const model::Architecture& found, const model::Architecture& expected) {
  if (found.model_type != expected.model_type) {
    return fmt::format("of family {}, where its config.json has {}", found.model_type,
                       expected.model_type);
  }
  struct Setting {
    const char* name;
    int64_t found;
    int64_t expected;
  };
  for (const Setting& setting :
       {Setting{"num_hidden_layers", found.layers, expected.layers},
        Setting{"hidden_size", found.hidden_size, expected.hidden_size},
        Setting{"intermediate_size", found.intermediate_size, expected.intermediate_size},
        Setting{"num_attention_heads", found.heads, expected.heads},
        Setting{"num_key_value_heads", found.kv_heads, expected.kv_heads},
        Setting{"head_dim", found.head_dim, expected.head_dim},
        Setting{"vocab_size", found.vocab_size, expected.vocab_size}}) {
    if (setting.found == setting.expected) continue;
    return fmt::format("of {} {}, where its config.json has {}", setting.name, setting.found,
                       setting.expected);
  }
  return "";
}

double DenseRounding(const Checkpoint& checkpoint, const model::LinearInfo& info) {
  const io::TensorView* weight = checkpoint.tensors().Find(info.WeightName());
  const bool bfloat16 = weight != nullptr && weight->dtype == io::DType::kBF16;
  return bfloat16 ? kBFloat16Rounding : kHalfRounding;
}

class SourceComparison {
 public:
  SourceComparison(const Checkpoint& checkpoint, const format::PackedLayers& packed,
                   const CheckpointReport& report, const Checkpoint& source)
      : checkpoint_(checkpoint), packed_(packed), report_(report), source_(source) {}

  std::vector<VerifyProblem> Run(const std::vector<model::LinearInfo>& linears,
                                 Progress& progress) {
    const std::string shape = OtherShape(source_.architecture(), checkpoint_.architecture());
    if (!shape.empty()) return {OtherModel("one " + shape)};
    for (const model::LinearInfo& info : linears) {
      CompareLinear(info);
      progress.Advance(1, info.name);
    }
    // Some layers may be damaged, but hardly all of them.
    const auto differing = std::ssize(list_.problems());
    if (differing > 1 && differing == std::ssize(linears)) {
      const VerifyProblem& first = list_.problems().front();
      return {
          OtherModel(fmt::format("one of which all {} linear layers differ ({}: expected {}, "
                                 "found {})",
                                 differing, first.where, first.expected, first.found))};
    }
    CompareOthers(linears);
    list_.AddAll(SurplusTensors(checkpoint_, &source_));
    list_.AddAll(DifferingFiles(checkpoint_, source_));
    return list_.problems();
  }

 private:
  VerifyProblem OtherModel(std::string found) const {
    return {source_.folder().string(),
            fmt::format("the model that {} was made from", checkpoint_.folder().string()),
            std::move(found)};
  }

  // True for a weight that is no copy of the source's.
  bool IsReplaced(const model::LinearInfo& info) const {
    return packed_.Has(info) || report_.Find(info.name) != nullptr;
  }

  // Experts in one tensor that are copies are compared with it, and not one by one.
  bool IsComparedAlone(const model::LinearInfo& info) const {
    return IsReplaced(info) || !info.stacked;
  }

  void CompareLinear(const model::LinearInfo& info) {
    if (IsReplaced(info)) {
      list_.Try([&] { CheckCloseness(info); });
    } else if (IsComparedAlone(info)) {
      const io::TensorView* weight = source_.tensors().Find(info.WeightName());
      if (weight != nullptr) CheckIdentical(*weight, weight->bytes, "the source's bytes");
    }
  }

  // Of the layer as it is stored, with what it has taken up taken back.
  double WeightError(const model::LinearInfo& info) const {
    const Matrix weight = model::ReadWeight(source_, info);
    const FoldedScales scales = report_.ScalesOf(info);
    if (!packed_.Has(info)) {
      return FoldedWeightError(weight, model::ReadWeight(checkpoint_, info), scales);
    }
    return FoldedWeightError(weight, quant::Unpack(quant::Copy(packed_.Read(info)), info.name),
                             scales);
  }

  void CheckCloseness(const model::LinearInfo& info) {
    const double error = WeightError(info);
    if (!(error < kAnyWeightError)) ++far_;
    const ReportedLayer* reported = report_.Find(info.name);
    if (reported == nullptr) {
      if (!(error < kAnyWeightError)) {
        list_.Add(info.name, fmt::format("a relative weight error under {}", kAnyWeightError),
                  fmt::format("{:.4g}", error));
      }
      return;
    }
    const double expected = reported->weight_error;
    const double rounding = packed_.Has(info) ? 1e-9 : DenseRounding(checkpoint_, info);
    if (!(std::abs(error - expected) <= kReportTolerance * expected + rounding)) {
      list_.Add(info.name, fmt::format("the reported relative weight error {:.6g}", expected),
                fmt::format("{:.6g}", error));
    }
  }

  // All but the weights that CompareLinear has looked at.
  void CompareOthers(const std::vector<model::LinearInfo>& linears) {
    std::set<std::string> compared;
    std::set<std::string> foldable = FoldableNorms(source_.architecture());
    for (const model::LinearInfo& info : linears) {
      if (IsComparedAlone(info)) compared.insert(info.WeightName());
      foldable.insert(info.name + kBias);
    }
    for (const io::TensorView& tensor : source_.tensors().tensors()) {
      if (compared.contains(tensor.name)) continue;
      const std::vector<uint16_t>* scales = report_.FindFolded(tensor);
      if (scales != nullptr && foldable.contains(tensor.name)) {
        const bool norm = !tensor.name.ends_with(kBias);
        const bool adds_one = norm && checkpoint_.architecture().norms_add_one;
        list_.Try([&] {
          const auto expected = FoldedTensor(tensor, *scales, adds_one);
          CheckIdentical(tensor, expected, "the source's values times channel scales");
        });
      } else {
        CheckIdentical(tensor, tensor.bytes, "the source's bytes");
      }
    }
  }

  void CheckIdentical(const io::TensorView& original, std::span<const std::byte> expected,
                      const char* description) {
    const io::TensorView* copy = checkpoint_.tensors().Find(original.name);
    if (copy == nullptr) {
      list_.Add(original.name, "the source's tensor", "nothing");
    } else if (copy->dtype != original.dtype || copy->shape != original.shape) {
      list_.Add(original.name, "the source's dtype and shape", "others");
    } else if (!std::ranges::equal(copy->bytes, expected)) {
      list_.Add(original.name, description, "others");
    }
  }

  const Checkpoint& checkpoint_;
  const format::PackedLayers& packed_;
  const CheckpointReport& report_;
  const Checkpoint& source_;
  ProblemList list_;
  int64_t far_ = 0;  // layers with weights of another model
};

}  // namespace

std::vector<VerifyProblem> CompareWithSource(const Checkpoint& checkpoint,
                                             const format::PackedLayers& packed,
                                             const CheckpointReport& report,
                                             const Checkpoint& source,
                                             const std::vector<model::LinearInfo>& linears,
                                             Progress& progress) {
  return SourceComparison(checkpoint, packed, report, source).Run(linears, progress);
}

}  // namespace paroquant::pipeline
