#include "paroquant/method/stage_moments.h"

#include <utility>

namespace paroquant::method {

StageMoments::StageMoments(const std::string& name, int64_t channels, RepairForm repair_form,
                           int64_t differences)
    : form(repair_form),
      halves{HalfMoments{InputStatistics(name, channels), {}},
             HalfMoments{InputStatistics(name, channels), {}}},
      held_out(name, channels) {
  if (form == RepairForm::kNone) return;
  for (HalfMoments& half : halves) half.repair = MatrixD::Zero(differences, channels);
}

const InputStatistics& StageMoments::JoinInputs() {
  if (halves[1].inputs.channels() > 0) {
    halves[0].inputs.Merge(halves[1].inputs);
    halves[1].inputs = InputStatistics("", 0);
  }
  return halves[0].inputs;
}

InputStatistics StageMoments::TakeInputs() {
  for (HalfMoments& half : halves) half.repair.resize(0, 0);
  JoinInputs();
  return std::move(halves[0].inputs);
}

}  // namespace paroquant::method
