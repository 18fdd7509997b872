// Time as bounds in tests need it: other programs on the machine take none of it.
#ifndef PAROQUANT_TESTS_TESTING_PROCESSOR_TIME_H_
#define PAROQUANT_TESTS_TESTING_PROCESSOR_TIME_H_

#include <ctime>

namespace paroquant::testing {

// Seconds that the threads of this process have been at work, all together.
inline double ProcessorSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace paroquant::testing

#endif  // PAROQUANT_TESTS_TESTING_PROCESSOR_TIME_H_
