// HTML from text that nobody vouches for: what stands in a template is escaped, unless it is markup already.

/** Text that is markup, made by `markup` only. */
export class Markup {
  constructor(readonly text: string) {}
}

export type Content = Markup | string | number | readonly Content[];

const NAMES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text that may stand in markup and in the value of an attribute; characters that cannot be seen are written out. */
export function escape(text: string): string {
  return visible(text).replaceAll(/[&<>"']/g, (each) => NAMES[each]!);
}

/**
 * Control characters, marks that turn the direction of text and halves of pairs as `\u{1b}`: a name from a file must
 * neither move a terminal's cursor nor reorder a line.
 */
export function visible(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (each) => `\\u{${each.codePointAt(0)!.toString(16)}}`,
  );
}

/**
 * A template whose values are escaped; markup, and lists of it, stay as they are. Ends of lines and the indent behind
 * them are of the source's layout, and left out.
 */
export function markup(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  const [first = '', ...others] = parts.map((part) => part.replaceAll(/\n\s*/g, ''));
  return new Markup(others.reduce((text, part, i) => text + textOf(values[i]!) + part, first));
}

function textOf(content: Content): string {
  if (content instanceof Markup) return content.text;
  if (Array.isArray(content)) return content.map(textOf).join('');
  if (typeof content !== 'string' && typeof content !== 'number') {
    throw new TypeError(`markup: expected markup, text or a number, got ${typeof content}.`);
  }
  return escape(String(content));
}
