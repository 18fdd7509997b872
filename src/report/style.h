// How pages look: in light and dark, on narrow screens and on paper.
#ifndef PAROQUANT_REPORT_STYLE_H_
#define PAROQUANT_REPORT_STYLE_H_

namespace paroquant::report {

extern const char kStyleSheet[];

}  // namespace paroquant::report

#endif  // PAROQUANT_REPORT_STYLE_H_
