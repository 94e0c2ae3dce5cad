// The parts of a page: one HTML file that needs nothing else, neither a script nor anything from the network.
import { markup, type Content, type Markup } from './markup.js';
import { STYLE } from './style.js';

/** A cell that is more than text: how it is to be read. */
export interface Cell {
  readonly text: string;
  readonly tone: 'good' | 'bad' | 'warn';
}

export interface Row {
  readonly cells: readonly (string | Cell)[];
  /** `strong` stands out; `group` has one cell, which heads the rows below it. */
  readonly kind?: 'strong' | 'group';
}

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

/**
 * The whole file.
 *
 * @param title - what the browser's tab says
 * @param language - of the text, as HTML's `lang`
 */
export function page(title: string, body: Content, language = 'en'): string {
  const { text } = markup`<html lang="${language}">
    <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
      <title>${title}</title><style>${STYLE}</style>
    </head>
    <body>${body}</body>
  </html>`;
  return `<!doctype html>\n${text}\n`;
}

/** A heading with what it says; nothing where there is nothing to say. */
export function section(title: string, note: string, content: Markup): Markup {
  if (content.text === '') return content;
  const words = note === '' ? '' : markup`<p>${note}</p>`;
  return markup`<section>
    <h2>${title}</h2>
    ${words}${content}
  </section>`;
}

/** What opens when its summary is chosen, or is open from the start. */
export function details(summary: Content, content: Content, isOpen = false): Markup {
  const inside = markup`<summary>${summary}</summary>${content}`;
  return isOpen ? markup`<details open>${inside}</details>` : markup`<details>${inside}</details>`;
}

export function table({ columns, rows }: Table): Markup {
  const isWords = columns.map((_, i) => hasNoFigures(rows, i));
  const head = columns.map((title, i) =>
    isWords[i]!
      ? markup`<th scope="col" class="words">${title}</th>`
      : markup`<th scope="col">${title}</th>`,
  );
  const body = rows.map((row) => tableRow(row, isWords));
  return markup`<div class="scroll" tabindex="0">
    <table>
      <thead>
        <tr>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${body}
      </tbody>
    </table>
  </div>`;
}

/** Columns of words stand to the left, those with figures to the right. */
function hasNoFigures(rows: readonly Row[], column: number): boolean {
  const cells = rows.filter(({ kind }) => kind !== 'group').map(({ cells }) => cells[column]);
  const texts = cells.map((cell) => (typeof cell === 'string' ? cell : (cell?.text ?? '')));
  return !texts.some((text) => /^[-–+±]?\d|^[–-]$/.test(text));
}

function tableRow({ cells, kind }: Row, isWords: readonly boolean[]): Markup {
  if (kind === 'group') {
    return markup`<tr class="group">
      <th scope="rowgroup" colspan="${isWords.length}">${contentOf(cells[0]!)}</th>
    </tr>`;
  }
  const [first, ...others] = cells.map(contentOf);
  const content = markup`<th scope="row">${first!}</th>
    ${others.map((cell, i) =>
      isWords[i + 1]! ? markup`<td class="words">${cell}</td>` : markup`<td>${cell}</td>`,
    )}`;
  return kind === 'strong'
    ? markup`<tr class="strong">
        ${content}
      </tr>`
    : markup`<tr>
        ${content}
      </tr>`;
}

function contentOf(cell: string | Cell): Content {
  return typeof cell === 'string' ? cell : markup`<span class="${cell.tone}">${cell.text}</span>`;
}
