// What a chart is, and how it stands on a page: drawn for a wide screen and for a phone from one description, with a
// title and a sentence for those who hear the page, hints for a pointer, and its figures as a table.
import { createHash } from 'node:crypto';

import { library } from './library.js';
import { escape, markup, Markup } from './markup.js';
import { legend, type Mark } from './marks.js';
import { details, table, type Table } from './page.js';
import { COLOURS } from './style.js';
import type { Option } from './echarts.js';

export interface Chart {
  /** What it is called. */
  readonly title: string;
  /** What is to be seen, in a sentence: read aloud in place of the picture. */
  readonly summary: string;
  /** Explained above the picture; none where labels are in the picture. */
  readonly legend?: readonly Mark[];
  height(width: number): number;
  option(width: number): Option;
  /** What a pointer that rests on a mark is told: by the series' number in the option, and the datum's. */
  hint?(series: number, datum: number): string | undefined;
  /** The same figures, where no other table of the page has them. */
  readonly table?: Table;
}

/** Pixels: a chart over the page, the same on a phone, and one of several side by side. */
const WIDE = 960;
const NARROW = 332;
const SMALL = 320;

/** A chart as wide as the page. On a phone it is drawn anew for that width, and not made small. */
export function figure(chart: Chart): Markup {
  const marks = chart.legend === undefined ? '' : legend(chart.legend);
  const pictures = [picture(chart, WIDE, 'chart wide'), picture(chart, NARROW, 'chart narrow')];
  return markup`<figure>${marks}${pictures}${alternative(chart)}</figure>`;
}

/** One of several charts that stand side by side where there is room (inside `class="pair"`). */
export function smallFigure(chart: Chart): Markup {
  const marks = chart.legend === undefined ? '' : legend(chart.legend);
  return markup`<figure>
    <h3>${chart.title}</h3>
    ${marks}${picture(chart, SMALL, 'chart fixed')}
    <figcaption>${chart.summary}</figcaption>
    ${alternative(chart)}
  </figure>`;
}

/** A chart as an SVG file of its own, which is light or dark as its reader's system is. */
export function pictureFile(chart: Chart): string {
  const svg = picture(chart, WIDE, 'chart').text;
  const size = `xmlns="http://www.w3.org/2000/svg" width="${String(WIDE)}" height="${String(chart.height(WIDE))}"`;
  const font =
    "svg { background: var(--ground); font-family: system-ui, 'DejaVu Sans', sans-serif; }";
  return `${svg.replace('<svg class="chart"', `<svg ${size}`).replace('>', () => `><style>${COLOURS}${font}</style>`)}\n`;
}

function alternative(chart: Chart): Markup | string {
  return chart.table === undefined ? '' : details('These figures as a table', table(chart.table));
}

function picture(chart: Chart, width: number, style: string): Markup {
  const height = chart.height(width);
  const svg = library().draw(chart.option(width), width, height);
  const head =
    `<svg class="${style}" viewBox="0 0 ${String(width)} ${String(height)}" role="img" ` +
    `aria-label="${escape(`${chart.title}. ${chart.summary}`)}">`;
  const drawn = svg
    .replace(/^<svg[^>]*>\s*<rect[^>]*><\/rect>/, '')
    .replaceAll(MARK, mark)
    .replaceAll(NEEDLESS, '');
  // The library numbers its clips over the life of the process; one picture is the same text each time.
  const clips = `c${createHash('sha256').update(drawn.replaceAll(CLIP, '')).digest('hex').slice(0, 8)}-`;
  return new Markup(head + drawn.replaceAll(CLIP, clips));

  function mark(
    _all: string,
    start: string,
    series: string,
    datum: string,
    ...[end = '']: readonly string[]
  ): string {
    const hint = chart.hint?.(Number(series), Number(datum));
    return `${start}${end}>${hint === undefined ? '' : `<title>${escape(hint)}</title>`}`;
  }
}

/** A mark in what ECharts draws: it carries the numbers of its series and of its datum. */
const MARK =
  /(<\w+ [^<>]*?) ecmeta_series_index="(\d+)" ecmeta_data_index="(\d+)" ecmeta_ssr_type="chart"([^<>]*)>/g;

const CLIP = /\bzr\d+-/g;

/** What only scripts of the library would read, and what the style sheet says once. */
const NEEDLESS =
  / (?:ecmeta_\w+="[^"]*"|class="zr\d+-cls-\d+"|pointer-events="visible"|xml:space="preserve")|font-family:inherit;|<style\s*>[^]*?<\/style>/g;
