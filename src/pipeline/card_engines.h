// How engines load a checkpoint, for its model card.
#ifndef PAROQUANT_PIPELINE_CARD_ENGINES_H_
#define PAROQUANT_PIPELINE_CARD_ENGINES_H_

#include <string>

#include "paroquant/pipeline/engine_rules.h"

namespace paroquant::pipeline {

// A section of Markdown. Engines of whose rules the checkpoint breaks one are named with that rule
// and no more.
std::string HowToLoad(const CheckpointFacts& facts);

}  // namespace paroquant::pipeline

#endif  // PAROQUANT_PIPELINE_CARD_ENGINES_H_
