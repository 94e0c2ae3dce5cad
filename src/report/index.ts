// Pages with charts. A door of the package's own (`#report` in package.json): for the benchmark, not for users.
export { figure, pictureFile, smallFigure, type Chart } from './chart.js';
export { logBounds, type Axis } from './charts/axes.js';
export { bars, stacks, type Bar, type Stack } from './charts/bars.js';
export { dots, type DotRow } from './charts/dots.js';
export { lines, type Line, type Point } from './charts/lines.js';
export { markup, Markup } from './markup.js';
export type { Mark } from './marks.js';
export { details, page, section, table, type Cell, type Row, type Table } from './page.js';
export type { Colour } from './style.js';
