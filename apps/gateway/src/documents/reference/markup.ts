/** HTML in which whatever is put in is escaped: a schema may hold anything, and must bring no markup with it. */

/** Text that is HTML already. Only `markup` makes it. */
export class Markup {
  readonly #text: string
  constructor(strings: TemplateStringsArray, parts: readonly Part[]) {
    this.#text = String.raw({ raw: strings }, ...parts.map(rendered))
  }
  toString(): string {
    return this.#text
  }
}

export type Part = Markup | string | number | undefined | readonly Part[]

export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings, parts)
}

/** A text in which what stands between backticks is code. */
export function prose(text: string): Markup {
  const pieces = text.split('`')
  return markup`${pieces.map((piece, index) => (index % 2 === 1 ? markup`<code>${piece}</code>` : piece))}`
}

const escapes = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
])

function rendered(part: Part): string {
  if (part === undefined) return ''
  if (part instanceof Markup) return part.toString()
  if (typeof part === 'object') return part.map(rendered).join('')
  return String(part).replaceAll(/[&<>"']/g, (character) => escapes.get(character) ?? '')
}
