#ifndef PAROQUANT_BASE_VERSION_H_
#define PAROQUANT_BASE_VERSION_H_

namespace paroquant {

// "major.minor.patch", from CMakeLists.txt.
extern const char* const kVersion;

}  // namespace paroquant

#endif  // PAROQUANT_BASE_VERSION_H_
