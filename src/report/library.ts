// Loads ECharts when the first chart is drawn: half a megabyte that a program which asks for no page never reads.
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { findPackage } from '../addon/find.js';
import type * as echarts from './echarts.js';

let loaded: typeof echarts | undefined;

export function library(): typeof echarts {
  const { root } = findPackage();
  if (root === undefined) {
    throw new Error(
      "charts: expected the package 'evenkeel' beside this bundle, got none. Mark evenkeel as external.",
    );
  }
  const path = join(root, 'dist', 'cjs', 'report', 'echarts.js');
  loaded ??= createRequire(join(root, 'package.json'))(path) as typeof echarts;
  return loaded;
}
