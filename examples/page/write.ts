// The page that an example leaves: one HTML file with its charts, which needs nothing else.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import type { Markup } from '#report';

import { markup, page } from './room.js';

/**
 * Writes the page, and makes its folder.
 *
 * @param lines - Below the title.
 * @returns Where it is.
 */
export function writePage(
  path: string,
  title: string,
  lines: readonly string[],
  sections: readonly Markup[],
): string {
  const paragraphs = lines.map((line) => markup`<p>${line}</p>`);
  const header = markup`<header><h1>${title}</h1>${paragraphs}</header>`;
  mkdirSync(dirname(resolve(path)), { recursive: true });
  writeFileSync(path, page(title, [header, ...sections]));
  return path;
}
