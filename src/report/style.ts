// The style sheet of every page, light and dark. Colours of marks are Okabe and Ito's palette, which people with any
// kind of colour vision tell apart; on a dark ground the darkest are lightened. Text has a contrast of 4.5 or more.
import { Markup } from './markup.js';

/** Names of the colours that charts may use. */
export type Colour =
  'ink' | 'soft' | 'blue' | 'sky' | 'red' | 'orange' | 'green' | 'purple' | 'grey';

/** A colour as CSS and SVG take it: which one it is depends on the page being light or dark. */
export function paint(colour: Colour | 'ground' | 'rule' | 'inside'): string {
  return `var(--${colour})`;
}

/** What the names stand for. */
export const COLOURS = `:root {
  color-scheme: light dark;
  --ground: #ffffff; --ink: #1b1f24; --soft: #5b6570; --rule: #e3e7eb; --panel: #f6f8fa;
  --blue: #0072b2; --sky: #56b4e9; --red: #d55e00; --orange: #e69f00; --green: #009e73;
  --purple: #cc79a7; --grey: #8a929b; --good: #00735a; --bad: #b03a00; --warn: #8a5a00; --inside: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --ink: #e6e9ed; --soft: #9aa4af; --rule: #2b3138; --panel: #1b1f25;
    --blue: #4aa8e0; --sky: #8fd0f5; --red: #f07a2a; --orange: #e9b13a; --green: #2cc09a;
    --purple: #dc93bb; --grey: #8f98a3; --good: #3cc79c; --bad: #ff8a4a; --warn: #e9b13a; --inside: #14171b;
  }
}
`;

export const STYLE = new Markup(`${COLOURS}* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1040px; padding: 40px 24px 80px; background: var(--ground);
  color: var(--ink); font: 15px/1.5 system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; }
h1 { font-size: 28px; margin: 0 0 4px; letter-spacing: -0.01em; line-height: 1.2; }
h2 { font-size: 20px; margin: 56px 0 4px; } h3 { font-size: 15px; margin: 20px 0 4px; }
h1, h2, h3, p, li, summary, code { overflow-wrap: anywhere; }
p { margin: 4px 0 12px; color: var(--soft); max-width: 84ch; } header p { max-width: none; margin: 2px 0; }
a { color: var(--blue); }
code, pre { font-family: ui-monospace, 'Cascadia Mono', 'DejaVu Sans Mono', monospace; font-size: 0.92em; }
pre { margin: 8px 0; padding: 8px 12px; background: var(--panel); border: 1px solid var(--rule); border-radius: 6px;
  white-space: pre-wrap; overflow-wrap: anywhere; }
figure { margin: 12px 0; } figcaption { color: var(--soft); font-size: 13px; max-width: 84ch; }
.pair { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 280px), 1fr)); gap: 8px 28px; }
.chart { display: block; width: 100%; height: auto; font-variant-numeric: tabular-nums; }
.chart.fixed { max-width: 350px; } .narrow { display: none; }
@media (max-width: 720px) {
  body { padding: 20px 14px 48px; } h1 { font-size: 23px; } h2 { margin-top: 40px; }
  .wide { display: none; } .narrow { display: block; }
}
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 8px 0; padding: 0; font-size: 13px; list-style: none; }
.legend li { display: inline-flex; align-items: center; gap: 6px; } .legend svg { width: 16px; height: 20px; flex: none; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 8px; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; font-weight: 400; }
th.words, td.words { text-align: left; }
thead th { color: var(--soft); font-weight: 500; }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 9em; overflow-wrap: anywhere; }
caption { text-align: left; color: var(--soft); padding: 4px 0; }
tr.strong th, tr.strong td { font-weight: 600; }
tr.group th { color: var(--ink); text-align: left; background: var(--panel); font-weight: 600; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; } .warn { color: var(--warn); font-weight: 600; }
details { margin: 10px 0; } summary { cursor: pointer; color: var(--soft); } figure details { font-size: 13px; margin: 4px 0; }
article { border-top: 1px solid var(--rule); padding: 4px 0; } article h3 { margin-top: 12px; } .found { color: var(--ink); }
.scroll { overflow-x: auto; }
`);
