// A report that can be shown: its data, and the ways to say them.
import { inspect, type InspectOptions } from 'node:util';

import type { Report, ReportData } from '../report-types.js';
import { jsonOf } from './json.js';
import { pageOf } from './page.js';
import { textOf } from './text.js';

/**
 * The data with the ways to show them. `console.log(report)` prints the text, in colours where the terminal has
 * them; `String(report)` is the same text without colours.
 */
export function reportFrom(data: ReportData): Report {
  const ways = {
    toString: () => textOf(data),
    toJSON: () => jsonOf(data),
    toHTML: () => pageOf(data),
    [inspect.custom]: (_depth: number, { colors }: InspectOptions) => textOf(data, colors),
  };
  const hidden = Reflect.ownKeys(ways).map((key) => [
    key,
    { value: ways[key as keyof typeof ways], enumerable: false },
  ]);
  return Object.freeze(
    Object.defineProperties({ ...data }, Object.fromEntries(hidden) as PropertyDescriptorMap),
  ) as Report;
}
