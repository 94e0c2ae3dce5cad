// Marks: a colour and a form, which say the same twice. One mark means one thing in every chart of a page.
import type { ScatterSeriesOption } from './echarts.js';
import type { Markup } from './markup.js';
import { markup } from './markup.js';
import { paint, type Colour } from './style.js';

export interface Mark {
  readonly name: string;
  readonly colour: Colour;
  readonly form: 'bar' | 'circle' | 'ring' | 'diamond' | 'square' | 'triangle' | 'line' | 'dashes';
}

/** How ECharts draws a mark. */
export function symbolOf({
  colour,
  form,
}: Mark): Pick<ScatterSeriesOption, 'symbol' | 'symbolSize' | 'itemStyle'> {
  const filled = { itemStyle: { color: paint(colour), opacity: 1 } };
  switch (form) {
    case 'ring':
      return {
        symbol: 'circle',
        symbolSize: 8,
        itemStyle: {
          color: paint('ground'),
          borderColor: paint(colour),
          borderWidth: 2,
          opacity: 1,
        },
      };
    case 'bar':
      return { symbol: 'rect', symbolSize: [3, 18], ...filled };
    case 'square':
      return { symbol: 'rect', symbolSize: 8, ...filled };
    case 'diamond':
      return { symbol: 'diamond', symbolSize: 11, ...filled };
    case 'triangle':
      return { symbol: 'triangle', symbolSize: 10, ...filled };
    default:
      return { symbol: 'circle', symbolSize: 9, ...filled };
  }
}

/** In HTML: it wraps, which a picture does not. */
export function legend(marks: readonly Mark[]): Markup {
  return markup`<ul class="legend">
    ${marks.map((mark) => markup`<li>${sample(mark)}${mark.name}</li>`)}
  </ul>`;
}

function sample({ colour, form }: Mark): Markup {
  const fill = paint(colour);
  const shapes: Record<Mark['form'], Markup> = {
    bar: markup`<rect x="6.5" y="1" width="3" height="18" fill="${fill}" />`,
    circle: markup`<circle cx="8" cy="10" r="4.5" fill="${fill}" />`,
    ring: markup`<circle cx="8" cy="10" r="4" fill="none" stroke="${fill}" stroke-width="2" />`,
    square: markup`<rect x="4" y="6" width="8" height="8" fill="${fill}" />`,
    diamond: markup`<path d="M8 4l5 6-5 6-5-6z" fill="${fill}" />`,
    triangle: markup`<path d="M8 5l5 9.5H3z" fill="${fill}" />`,
    line: markup`<path d="M0 10h16" stroke="${fill}" stroke-width="2" />`,
    dashes: markup`<path d="M0 10h16" stroke="${fill}" stroke-width="2" stroke-dasharray="4 3" />`,
  };
  return markup`<svg viewBox="0 0 16 20" aria-hidden="true">${shapes[form]}</svg>`;
}
