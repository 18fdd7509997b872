#include "paroquant/model/weight_view.h"

namespace paroquant::model {

void WeightView::Read(int64_t row, int64_t column, MatrixRef block) const {
  if (!channel_major) {
    for (Eigen::Index i = 0; i < block.rows(); ++i) {
      DecodeFloats(tensor, first + (row + i) * stride + column, block.cols(), block.row(i).data());
    }
    return;
  }
  Vector channel(block.rows());
  for (Eigen::Index k = 0; k < block.cols(); ++k) {
    DecodeFloats(tensor, first + (column + k) * stride + row, channel.size(), channel.data());
    block.col(k) = channel;
  }
}

WeightView PlainWeight(const io::TensorView& tensor) {
  return {.tensor = tensor,
          .rows = tensor.shape[0],
          .columns = tensor.shape[1],
          .channel_major = false,
          .first = 0,
          .stride = tensor.shape[1]};
}

WeightView FindWeight(const Checkpoint& checkpoint, const LinearInfo& info) {
  if (info.stacked) {
    return {.tensor = checkpoint.FloatTensor(info.stacked->tensor, info.stacked->shape),
            .rows = info.out_features,
            .columns = info.in_features,
            .channel_major = true,
            .first = info.stacked->first,
            .stride = info.stacked->stride};
  }
  return PlainWeight(
      checkpoint.FloatTensor(info.WeightName(), {info.out_features, info.in_features}));
}

Matrix ReadWeight(const Checkpoint& checkpoint, const LinearInfo& info) {
  const WeightView view = FindWeight(checkpoint, info);
  Matrix weight(view.rows, view.columns);
  view.Read(0, 0, weight);
  return weight;
}

}  // namespace paroquant::model
