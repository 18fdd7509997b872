#include "report/style.h"

namespace paroquant::report {

// Letters and marks have a contrast of 4.5 to 1 at least to what is behind them (WCAG 2, AA);
// tests/report/style_test.cc computes it from these lines.
const char kStyleSheet[] = R"css(
:root {
  color-scheme: light dark;
  --back: #ffffff; --card: #f6f7f9; --line: #d5d9e0; --text: #1b1e24; --soft: #555d6b;
  --link: #1a56b4;
  --c1: #1a56b4; --c2: #a84a05; --c3: #17703f; --c4: #7a35b5; --c5: #b0263c; --c6: #0a6b7d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #14171c; --card: #1c2027; --line: #39414d; --text: #e7eaf0; --soft: #a6afbd;
    --link: #84b5ff;
    --c1: #84b5ff; --c2: #ffad66; --c3: #6fd6a0; --c4: #cfa6ff; --c5: #ff9aa5; --c6: #6cd2e3;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; max-width: 1120px; padding: 0 20px 48px;
  background: var(--back); color: var(--text);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
header { padding: 36px 0 4px; }
.kind { margin: 0; color: var(--soft); font-weight: 600; }
h1 { margin: 2px 0 10px; font-size: 32px; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 48px 0 8px; padding-top: 12px; border-top: 1px solid var(--line); font-size: 22px;
     line-height: 1.3; }
h3 { margin: 28px 0 8px; font-size: 16px; overflow-wrap: anywhere; }
p { margin: 8px 0; max-width: 72ch; overflow-wrap: anywhere; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, .scroll:focus-visible {
  outline: 2px solid var(--link); outline-offset: 2px;
}
nav ul { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 14px 0 0; padding: 0;
         list-style: none; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(220px, 1fr)); gap: 14px;
         margin: 20px 0 0; }
.tiles > div { padding: 14px 16px; background: var(--card); border: 1px solid var(--line);
             border-radius: 10px; }
.tiles dt { color: var(--soft); font-size: 14px; }
.tiles dd { margin: 0; }
.tiles .value { font-size: 28px; font-weight: 650; line-height: 1.25;
                font-variant-numeric: tabular-nums; }
.tiles .detail { color: var(--soft); font-size: 14px; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(290px, 1fr));
         gap: 0 32px; margin: 12px 0; }
.facts > div { display: flex; justify-content: space-between; gap: 16px; padding: 6px 0;
             border-bottom: 1px solid var(--line); }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; text-align: right; overflow-wrap: anywhere;
            font-variant-numeric: tabular-nums; }
.facts .detail { display: block; color: var(--soft); font-size: 14px; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr));
        gap: 18px; margin: 16px 0; align-items: start; }
.pair { grid-template-columns: repeat(auto-fill, minmax(min(100%, 430px), 1fr)); }
figure { margin: 0; padding: 14px; background: var(--card); border: 1px solid var(--line);
         border-radius: 10px; min-width: 0; break-inside: avoid; }
figcaption { margin-bottom: 8px; font-weight: 600; overflow-wrap: anywhere; }
.picture { display: block; width: 100%; height: auto; }
.picture text { fill: var(--soft); font-size: 12.5px; }
@media (min-width: 940px) { .pair .picture text { font-size: 9px; } }
.grid-line { stroke: var(--line); stroke-width: 1; }
.axis, .tick { stroke: var(--soft); stroke-width: 1; }
.line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.line.series-2 { stroke-dasharray: 5 3; }
.deviation { stroke-width: 1.2; }
.bars { stroke-width: 1.5; fill-opacity: 0.22; stroke-linejoin: round; }
.bars.series-1:has(~ .bars) { stroke-dasharray: 4 2; fill-opacity: 0.12; }
.cells rect { fill: var(--c1); }
.cells .floor { fill: var(--back); stroke: var(--line); }
.series-1 { stroke: var(--c1); } .marker.series-1, .bars.series-1 { fill: var(--c1); }
.series-2 { stroke: var(--c2); } .marker.series-2, .bars.series-2 { fill: var(--c2); }
.series-3 { stroke: var(--c3); } .marker.series-3, .bars.series-3 { fill: var(--c3); }
.series-4 { stroke: var(--c4); } .marker.series-4, .bars.series-4 { fill: var(--c4); }
.series-5 { stroke: var(--c5); } .marker.series-5, .bars.series-5 { fill: var(--c5); }
.series-6 { stroke: var(--c6); } .marker.series-6, .bars.series-6 { fill: var(--c6); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 6px 0 0; padding: 0;
          list-style: none; font-size: 14px; }
.legend li { display: flex; align-items: center; gap: 6px; min-width: 0;
             overflow-wrap: anywhere; }
.swatch { flex: none; width: 14px; height: 14px; }
details { margin-top: 8px; font-size: 14px; }
summary { cursor: pointer; color: var(--link); }
details .scroll { max-height: 320px; }
.scroll { overflow: auto; margin: 10px 0; }
table { border-collapse: collapse; width: 100%; font-size: 14px;
        font-variant-numeric: tabular-nums; }
caption { padding: 4px 0 8px; text-align: left; color: var(--soft); }
caption span { display: block; position: sticky; left: 0; max-width: min(72ch, calc(100vw - 60px)); }
th, td { padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); text-align: left;
         vertical-align: top; }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 500; min-width: 8.5em; }
.number { text-align: right; white-space: nowrap; }
thead .number { white-space: normal; }
pre { margin: 10px 0; padding: 12px 14px; overflow: auto; background: var(--card);
      border: 1px solid var(--line); border-radius: 10px; font-size: 14px; line-height: 1.5; }
pre code { white-space: pre-wrap; overflow-wrap: anywhere; }
pre, code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
footer { margin-top: 48px; padding-top: 12px; border-top: 1px solid var(--line);
         color: var(--soft); font-size: 14px; }
@media (max-width: 480px) {
  body { padding: 0 14px 32px; }
  header { padding-top: 22px; }
  h1 { font-size: 25px; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 10px; }
  .tiles > div { padding: 10px 12px; }
  .tiles .value { font-size: 21px; }
  figure { padding: 10px; }
}
@media print {
  :root {
    color-scheme: light;
    --back: #ffffff; --card: #ffffff; --line: #b9bfc9; --text: #000000; --soft: #444b57;
    --link: #000000;
    --c1: #1a56b4; --c2: #a84a05; --c3: #17703f; --c4: #7a35b5; --c5: #b0263c; --c6: #0a6b7d;
  }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { max-width: none; padding: 0; font-size: 11pt; }
  nav, details { display: none; }
  h2, h3 { break-after: avoid; }
  tr, pre, .tiles > div { break-inside: avoid; }
  .scroll { overflow: visible; }
  .grid { grid-template-columns: repeat(2, 1fr); }
  .tiles { grid-template-columns: repeat(4, 1fr); }
}
)css";

}  // namespace paroquant::report
