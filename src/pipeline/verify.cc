#include "paroquant/pipeline/verify.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "paroquant/base/error.h"
#include "paroquant/base/folder.h"
#include "paroquant/base/quantity_text.h"
#include "paroquant/format/packed_format.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/model/weight_view.h"
#include "paroquant/pipeline/quantize.h"
#include "paroquant/pipeline/unfinished_run.h"
#include "paroquant/quant/packing.h"
#include "pipeline/checkpoint_report.h"
#include "pipeline/problem_list.h"
#include "pipeline/source_comparison.h"
#include "pipeline/surplus_tensors.h"

namespace paroquant::pipeline {
namespace {

using format::PackedLayers;
using format::QuantizationConfig;
using model::Checkpoint;

// All linears of all blocks.
std::vector<model::LinearInfo> AllLinears(const model::Architecture& architecture) {
  std::vector<model::LinearInfo> linears;
  for (int64_t layer = 0; layer < architecture.layers; ++layer) {
    std::ranges::move(DescribeLinears(architecture, layer), std::back_inserter(linears));
  }
  return linears;
}

class Verifier {
 public:
  explicit Verifier(Progress& progress) : progress_(progress) {}

  std::vector<VerifyProblem> Run(const std::filesystem::path& folder,
                                 const std::optional<std::filesystem::path>& source) {
    RequireFinished(folder);
    if (source) RequireFinished(*source);
    if (!Exists(folder / model::kConfigFile)) Checkpoint::Open(folder);  // says why
    std::optional<Checkpoint> checkpoint;
    if (!list_.Try([&] {
          checkpoint = Checkpoint::Open(folder);
          packed_.emplace(*checkpoint);
        })) {
      return list_.problems();
    }
    list_.Try([&] { report_.Read(checkpoint->folder() / kProvenanceFile); });
    const std::vector<model::LinearInfo> linears = AllLinears(checkpoint->architecture());
    progress_.Start("verifying", static_cast<int64_t>(linears.size() * (source ? 2 : 1)));
    list_.Try([&] { CheckConfig(*checkpoint, linears); });
    list_.Try([&] { CheckUnquantized(*checkpoint); });
    for (const model::LinearInfo& info : linears) {
      list_.Try([&] { CheckLinear(*checkpoint, info); });
      progress_.Advance(1, info.name);
    }
    if (source) {
      list_.AddAll(CompareWithSource(*checkpoint, *packed_, report_, Checkpoint::Open(*source),
                                     linears, progress_));
    } else {
      list_.AddAll(SurplusTensors(*checkpoint, nullptr));
    }
    progress_.Finish();
    return list_.problems();
  }

 private:
  // config.json's word on the model against the tensors.
  void CheckConfig(const Checkpoint& checkpoint, const std::vector<model::LinearInfo>& linears) {
    const std::string where = (checkpoint.folder() / model::kConfigFile).string();
    const auto& config = packed_->config();
    const auto packed = std::count_if(linears.begin(), linears.end(),
                                      [&](const auto& info) { return packed_->Has(info); });
    if (config && packed == 0) {
      list_.Add(where, "a quantized layer, as quantization_config says", "none");
    } else if (!config && packed > 0) {
      list_.Add(where, "a quantization_config",
                fmt::format("none, with {}", Counted(packed, "packed layer")));
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
    list_.Add((checkpoint.folder() / model::kConfigFile).string(),
              fmt::format("layers of {} bits in groups of {}, as quantization_config says",
                          config.bits, config.group_size),
              fmt::format("layers of {}", fmt::join(found, ", ")));
  }

  // Engines go by the config's list of what stays in 16 bits.
  void CheckLists(const QuantizationConfig& config, const std::vector<model::LinearInfo>& linears) {
    for (const model::LinearInfo& info : linears) {
      const std::optional<bool> kept = format::IsListedAsKept(config, info.name);
      if (!kept || *kept != packed_->Has(info)) continue;
      list_.Add(info.name,
                *kept ? "a layer of 16 bits, as quantization_config lists it"
                      : "a packed layer, as quantization_config does not list it",
                *kept ? "a packed one" : "one of 16 bits");
    }
  }

  void CheckRotations(const QuantizationConfig& config,
                      const std::vector<model::LinearInfo>& linears) {
    for (const model::LinearInfo& info : linears) {
      if (!packed_->Has(info)) continue;
      list_.Try([&] {
        const int rounds = packed_->Read(info).rotation.rounds;
        if (rounds == config.rotations) return;
        list_.Add(info.name + ".theta", fmt::format("krot = {} rotations", config.rotations),
                  fmt::format("{}", rounds));
      });
    }
  }

  // What every model has beside its linears, and no weight that is not finite.
  void CheckUnquantized(const Checkpoint& checkpoint) {
    for (const model::TensorInfo& tensor : DescribeOtherTensors(checkpoint.architecture())) {
      list_.Try([&] { checkpoint.FloatTensor(tensor.name, tensor.shape); });
    }
    model::RequireFinite(checkpoint.tensors());
    for (const auto& reported : report_.tensors()) {
      const std::string& name = reported.first;
      if (checkpoint.tensors().Find(name) == nullptr) {
        list_.Add(name, fmt::format("a tensor that {} tells of", kProvenanceFile), "none");
      } else {
        list_.Try([&] { report_.RequireAsWritten(checkpoint.tensors(), name); });
      }
    }
  }

  void CheckLinear(const Checkpoint& checkpoint, const model::LinearInfo& info) {
    if (info.bias) checkpoint.FloatTensor(info.name + kBias, {info.out_features});
    if (packed_->Has(info)) {
      if (checkpoint.tensors().Find(info.WeightName()) != nullptr) {
        list_.Add(info.name, "the layer either packed or in 16 bit", "both");
      }
      quant::Unpack(quant::Copy(packed_->Read(info)), info.name);  // checks all values
      report_.RequireAsWritten(checkpoint.tensors(), info.name, packed_->Names(info));
    } else {
      model::FindWeight(checkpoint, info);
      report_.RequireAsWritten(checkpoint.tensors(), info.name, {info.WeightName()});
    }
  }

  Progress& progress_;
  ProblemList list_;
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
