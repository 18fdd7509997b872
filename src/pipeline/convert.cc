#include "paroquant/pipeline/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "paroquant/base/error.h"
#include "paroquant/base/folder.h"
#include "paroquant/base/stopwatch.h"
#include "paroquant/model/checkpoint.h"
#include "paroquant/pipeline/quantization_plan.h"
#include "paroquant/pipeline/quantize.h"
#include "paroquant/pipeline/reproduction.h"
#include "paroquant/pipeline/unfinished_run.h"
#include "paroquant/quant/packing.h"
#include "paroquant/quant/rotation.h"
#include "pipeline/checkpoint_output.h"
#include "pipeline/checkpoint_report.h"
#include "pipeline/dense_type.h"
#include "pipeline/model_card.h"

namespace paroquant::pipeline {
namespace {

using format::FormatKind;

// Each layer is read twice: before anything is written, and to be.
constexpr char kLooking[] = "looking";
constexpr char kWriting[] = "writing";

Work WorkOn(const model::LinearInfo& info, const char* kind) {
  return {kind, static_cast<double>(info.out_features * info.in_features)};
}

class Converter {
 public:
  Converter(const model::Checkpoint& source, const ConvertOptions& options, Progress& progress)
      : source_(source), packed_(source), options_(options), progress_(progress) {
    ReadReport();
    for (int64_t layer = 0; layer < source.architecture().layers; ++layer) {
      for (model::LinearInfo& info : DescribeLinears(source.architecture(), layer)) {
        if (packed_.Has(info)) {
          modules_.quantized.push_back(info.name);
          linears_.push_back(std::move(info));
        } else {
          modules_.kept.push_back(std::move(info.name));
        }
      }
    }
  }

  ConvertSummary Run() {
    RequireWork();
    std::vector<Work> steps;
    for (const char* kind : {kLooking, kWriting}) {
      for (const model::LinearInfo& info : linears_) steps.push_back(WorkOn(info, kind));
    }
    progress_.Plan("converting", steps);
    for (const auto& reported : report_.tensors()) {
      const std::string& name = reported.first;
      if (source_.tensors().Find(name) != nullptr) {
        report_.RequireAsWritten(source_.tensors(), name);
      }
    }
    for (const model::LinearInfo& info : linears_) Look(info);
    CheckpointOutput output(source_,
                            {.folder = options_.out,
                             .overwrite = options_.overwrite,
                             .shard_size = options_.shard_size},
                            OutputLayers(), source_.tensors().metadata());
    output.CopyUntouchedTensors();
    progress_.Skip({});  // that is in no plan
    for (const model::LinearInfo& info : linears_) {
      auto tensors = format::Encode(options_.format, info, Read(info), StyleOf(info));
      checksums_[info.name] = format::Checksum(tensors);
      output.WriteLayer(std::move(tensors));
      progress_.Complete(WorkOn(info, kWriting), "writing " + info.name);
    }
    ConvertSummary summary{.from = packed_.format(),
                           .layers_converted = std::ssize(linears_),
                           .layers_kept = std::ssize(modules_.kept)};
    output.Commit(OutputConfig(), OutputReport(),
                  ModelCard(source_, FactsForCard(), summary.notes));
    progress_.Finish();
    summary.notes.insert(summary.notes.end(), output.notes().begin(), output.notes().end());
    return summary;
  }

 private:
  void RequireWork() const {
    if (linears_.empty()) {
      throw Error(ErrorKind::kInput, {.where = source_.folder().string(),
                                      .expected = "a quantized checkpoint",
                                      .found = "a model without packed layers",
                                      .hint = "paroquant quantize makes one of it."});
    }
    if (packed_.format() == options_.format) {
      throw Error(ErrorKind::kUsage, {.where = "--format",
                                      .expected = "another layout than the checkpoint has",
                                      .found = FormatName(options_.format),
                                      .hint = "Copy the folder instead."});
    }
  }

  // What the checkpoint tells of how it was made holds for its codes in any layout. Null where it
  // tells nothing that can be read.
  void ReadReport() {
    const std::filesystem::path path = source_.folder() / kProvenanceFile;
    if (!IsRegularFile(path)) return;
    try {
      io::Json json = io::ReadJsonFile(path);
      if (!json.is_object()) return;
      json.erase("bits_per_weight");
      source_report_ = std::move(json);
      report_.Parse(source_report_, path.string());
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInput) throw;
    }
  }

  bool WholeRows() const {
    return packed_.config() && packed_.config()->group_size == format::kWholeRows;
  }

  // A layout that demands a rotation gets one by nothing.
  quant::QuantizedLinear Read(const model::LinearInfo& info) const {
    quant::QuantizedLinear linear = quant::Unpack(quant::Copy(packed_.Read(info)), info.name);
    if (options_.format == FormatKind::kParoquant && linear.rotation.rounds == 0) {
      linear.rotation = quant::IdentityRotation(linear.in_features, linear.group_size, 1);
    }
    return linear;
  }

  // Only when all layers were looked at.
  format::PackedStyle StyleOf(const model::LinearInfo& info) const {
    return {.shares_rotation =
                options_.format == FormatKind::kParoquant && packed_.SharesRotation(info),
            .symmetric = config_.symmetric,
            .act_order = config_.act_order,
            .dtype = dtype_};
  }

  std::vector<OutputLayer> OutputLayers() const {
    std::vector<OutputLayer> layers;
    for (size_t i = 0; i < linears_.size(); ++i) {
      format::PackedShape shape = shapes_[i];
      shape.style = StyleOf(linears_[i]);
      layers.push_back(
          {packed_.Names(linears_[i]), format::PackedSpecs(options_.format, linears_[i], shape)});
    }
    return layers;
  }

  [[noreturn]] void Refuse(const model::LinearInfo& info, const std::string& found) const {
    throw Error(ErrorKind::kUnsupported,
                {.where = info.name,
                 .expected = fmt::format("a layer that {} can hold", FormatName(options_.format)),
                 .found = found,
                 .hint = Hint()});
  }

  const char* Hint() const {
    if (options_.format == FormatKind::kDense) return "Take another --format.";
    return packed_.format() == FormatKind::kParoquant
               ? "--format fp16 holds every layer. For this layout quantize with a recipe that "
                 "does not rotate, such as gptq."
               : "--format fp16 holds every layer.";
  }

  // Checks that the layer can be converted, and notes what the output has to be like.
  void Look(const model::LinearInfo& info) {
    // What is damaged must not get a checksum that fits.
    report_.RequireAsWritten(source_.tensors(), info.name, packed_.Names(info));
    const quant::QuantizedLinear linear = Read(info);
    const std::string obstacle = format::Obstacle(options_.format, linear, {.dtype = dtype_});
    if (!obstacle.empty()) Refuse(info, obstacle);
    if (options_.format == FormatKind::kDense && info.stacked) {
      Refuse(info, "an expert of a model that keeps all experts in one tensor");
    }
    const bool first = shapes_.empty();
    if (first) {
      config_ = {.format = options_.format,
                 .bits = linear.bits,
                 .group_size = WholeRows() ? format::kWholeRows : linear.group_size,
                 .rotations = linear.rotation.rounds,
                 .symmetric = true};
      const std::string groups = format::GroupObstacle(options_.format, config_.group_size);
      if (!groups.empty()) Refuse(info, groups);
    } else if (options_.format != FormatKind::kDense &&
               (linear.bits != config_.bits ||
                linear.group_size != format::GroupSizeOf(config_, info))) {
      Refuse(info, fmt::format("{} bits in groups of {}, unlike the layers before with {} in {}",
                               linear.bits, linear.group_size, config_.bits, config_.group_size));
    }
    config_.symmetric = config_.symmetric && quant::IsSymmetric(linear);
    config_.act_order = config_.act_order || !linear.order.empty();
    shapes_.push_back({.bits = linear.bits,
                       .group_size = linear.group_size,
                       .rotations = linear.rotation.rounds});
    progress_.Complete(WorkOn(info, kLooking), "looking at " + info.name);
  }

  // With the checksums of what was written. No run of Quantize would make this checkpoint, and
  // none should take it for its own.
  io::Json OutputReport() const {
    io::Json report = source_report_;
    if (!report.is_object() || !report.value("layers", io::Json()).is_array()) return nullptr;
    report.erase("fingerprint");
    for (io::Json& layer : report["layers"]) {
      const bool named = layer.is_object() && layer.contains("crc32") && layer.contains("name") &&
                         layer["name"].is_string();
      const auto written =
          named ? checksums_.find(layer["name"].get<std::string>()) : checksums_.end();
      if (written != checksums_.end()) layer["crc32"] = written->second;
    }
    return report;
  }

  CheckpointFacts OutputFacts() const {
    CheckpointFacts facts{.format = options_.format, .symmetric = config_.symmetric};
    size_t next = 0;  // of those that are packed
    for (int64_t layer = 0; layer < source_.architecture().layers; ++layer) {
      for (const model::LinearInfo& info : DescribeLinears(source_.architecture(), layer)) {
        LayerFacts& one = facts.layers.emplace_back();
        one = {.info = info, .layer = layer, .quantized = packed_.Has(info)};
        if (!one.quantized) continue;
        const format::PackedShape& shape = shapes_[next++];
        one.bits = shape.bits;
        one.group_size = shape.group_size;
        one.rotations = shape.rotations;
        one.shares_rotation = StyleOf(info).shares_rotation;
      }
    }
    return facts;
  }

  CardFacts FactsForCard() const {
    return {.checkpoint = OutputFacts(),
            .bytes = OutputBytes(source_, OutputLayers()),
            .command = ConvertCommand(source_.folder(), options_.format),
            .converted = true,
            .report = source_report_,
            .kept = modules_.kept};
  }

  io::Json OutputConfig() const {
    const io::Json config = format::WithQuantizationConfig(source_.config(), config_, modules_);
    return options_.format == FormatKind::kDense ? WithDenseType(config, dtype_) : config;
  }

  const model::Checkpoint& source_;
  format::PackedLayers packed_;
  const ConvertOptions& options_;
  Progress& progress_;
  io::Json source_report_ = nullptr;
  CheckpointReport report_;                 // what of it can be checked
  std::vector<model::LinearInfo> linears_;  // that are packed
  format::ModuleNames modules_;
  std::vector<format::PackedShape> shapes_;  // of each, without the style
  format::QuantizationConfig config_;
  io::DType dtype_ = DenseType(source_);
  std::map<std::string, uint32_t> checksums_;  // of the layers written
};

}  // namespace

ConvertSummary Convert(const ConvertOptions& options, Progress& progress) {
  const Stopwatch watch;
  RequireUsableOut(options.model, options.out, options.overwrite);
  RequireFinished(options.model);
  const auto source = model::Checkpoint::Open(options.model);
  model::RequireFinite(source.tensors());
  ConvertSummary summary = Converter(source, options, progress).Run();
  summary.seconds = watch.Seconds();
  return summary;
}

}  // namespace paroquant::pipeline
