/** Text from machines and people, made harmless to read: what a browser would hide or reorder is shown. */

const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/** Replace control and direction characters by their code, so that a name cannot pose as another. */
export function plain(text: string): string {
  return text.replace(HIDDEN, (c) => `\u2423${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}\u2423`)
}

/** The character a problem points at, as the selector's error says it, counted from 1. */
export function pointed(text: string, at: number): { before: string; mark: string; after: string } {
  const chars = [...text]
  const index = Math.min(Math.max(at - 1, 0), chars.length)
  return {
    before: chars.slice(0, index).join(''),
    mark: chars[index] ?? ' ',
    after: chars.slice(index + 1).join(''),
  }
}
