// The one file that imports ECharts. scripts/build-ts.mjs bundles it with what it uses of the library into
// dist/cjs/report/echarts.js, which is loaded when the first chart is drawn (library.ts).
import {
  BarChart,
  CustomChart,
  LineChart,
  ScatterChart,
  type BarSeriesOption,
  type CustomSeriesOption,
  type LineSeriesOption,
  type ScatterSeriesOption,
} from 'echarts/charts';
import {
  GridComponent,
  MarkLineComponent,
  type GridComponentOption,
  type MarkLineComponentOption,
} from 'echarts/components';
import { init, use, type ComposeOption } from 'echarts/core';
import { LabelLayout } from 'echarts/features';
import { SVGRenderer } from 'echarts/renderers';

export type Option = ComposeOption<
  | BarSeriesOption
  | CustomSeriesOption
  | LineSeriesOption
  | ScatterSeriesOption
  | GridComponentOption
  | MarkLineComponentOption
>;

export type { ScatterSeriesOption };

export type Series = BarSeriesOption | CustomSeriesOption | LineSeriesOption | ScatterSeriesOption;

use([
  BarChart,
  CustomChart,
  LineChart,
  ScatterChart,
  GridComponent,
  LabelLayout,
  MarkLineComponent,
  SVGRenderer,
]);

/** The chart as the text of an `<svg>` element, `width` by `height` pixels. */
export function draw(option: Option, width: number, height: number): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ animation: false, ...option });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}
