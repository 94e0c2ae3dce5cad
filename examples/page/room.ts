// The room of pages and charts as it is built: in its sources it does not find the library that draws.
import { createRequire } from 'node:module';

import type * as Room from '#report';

const require = createRequire(import.meta.url);
const room = require('../../dist/cjs/report/index.js') as typeof Room;

export const { bars, figure, lines, markup, page, pictureFile, section, table } = room;
