#include "paroquant/base/version.h"

namespace paroquant {

const char* const kVersion = PAROQUANT_VERSION;

}  // namespace paroquant
