// The page's style sheet, light and dark. Colours of marks are Okabe and Ito's palette; on a dark ground
// the two darkest are lightened.
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --ink: #1b1f24; --soft: #5b6570; --rule: #e3e7eb; --panel: #f6f8fa;
  --blue: #0072b2; --sky: #56b4e9; --red: #d55e00; --orange: #e69f00; --green: #009e73;
  --purple: #cc79a7; --grey: #8a929b; --met: #00795a; --missed: #b54708; --inside: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --ink: #e6e9ed; --soft: #9aa4af; --rule: #2b3138; --panel: #1b1f25;
    --blue: #4aa8e0; --sky: #8fd0f5; --red: #f07a2a; --orange: #e9b13a; --green: #2cc09a;
    --purple: #dc93bb; --grey: #8f98a3; --met: #3cc79c; --missed: #f19a4b; --inside: #14171b;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1040px; padding: 40px 24px 80px; background: var(--ground);
  color: var(--ink); font: 15px/1.5 system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; }
h1 { font-size: 28px; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 20px; margin: 56px 0 4px; }
h3 { font-size: 15px; margin: 20px 0 4px; }
p { margin: 4px 0 12px; color: var(--soft); max-width: 84ch; } header p { max-width: none; margin: 2px 0; }
.pair { display: grid; grid-template-columns: repeat(auto-fill, minmax(400px, 1fr)); gap: 8px 24px; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 8px 0; font-size: 13px; }
.legend span { display: inline-flex; align-items: center; gap: 6px; }
.legend svg { width: 16px; height: 20px; }
.swatch { width: 12px; height: 12px; border-radius: 2px; background: currentColor; }
text { fill: var(--ink); font-size: 12px; font-variant-numeric: tabular-nums; }
.tick, .small { fill: var(--soft); } .small { font-size: 10px; }
.axis { fill: var(--soft); text-anchor: middle; } .middle { text-anchor: middle; } .end { text-anchor: end; }
.grid, .row { stroke: var(--rule); } .cache { stroke: var(--soft); stroke-dasharray: 2 3; }
.limit { stroke: var(--ink); stroke-width: 2; } .ideal { stroke: var(--soft); stroke-dasharray: 4 4; }
.spread { stroke: currentColor; stroke-width: 2; opacity: 0.45; } .whisker { stroke: var(--ink); }
.mark, .part { fill: currentColor; } .ring { fill: var(--ground); stroke: currentColor; stroke-width: 2; }
.part { stroke: var(--ground); } .pale { opacity: 0.62; } .inside { fill: var(--inside); font-weight: 600; font-size: 11px; }
.on-sky, .on-orange, .on-purple { fill: #14171b; } .on-pale { fill: var(--ink); }
.line { fill: none; stroke: currentColor; stroke-width: 2; } .dashed { stroke-dasharray: 6 4; }
.band { fill: currentColor; opacity: 0.14; } text.direct { font-weight: 600; fill: currentColor; }
.ink { color: var(--ink); } .blue { color: var(--blue); } .sky { color: var(--sky); }
.red { color: var(--red); } .orange { color: var(--orange); } .green { color: var(--green); }
.purple { color: var(--purple); } .grey { color: var(--grey); }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 8px; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th { color: var(--soft); font-weight: 500; } th:first-child, td:first-child { text-align: left; white-space: normal; }
tr.ours td { font-weight: 600; } tr.case th { color: var(--ink); text-align: left; background: var(--panel); font-weight: 600; }
.met { color: var(--met); } .missed { color: var(--missed); font-weight: 600; }
details { margin-top: 12px; } summary { cursor: pointer; color: var(--soft); }
.scroll { overflow-x: auto; }
`;
