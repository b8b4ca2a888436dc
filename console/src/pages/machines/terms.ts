/** Terms of a selector, written by chips and by actions. */

const NEEDS: Record<string, string> = { updates: 'update' }

/** A value as a selector writes it: quoted where it holds more than plain characters. */
function quoted(value: string): string {
  return /^[\w.\-/]+$/.test(value) ? value : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

export function term(field: string, value: string): string {
  if (field === 'needs') return `needs:${NEEDS[value] ?? value}`
  // `debian 12` is a system and its version.
  if (field === 'os.version') {
    const at = value.lastIndexOf(' ')
    return at > 0 ? `os:${quoted(value.slice(0, at))} os.version:${quoted(value.slice(at + 1))}` : `os.version:${quoted(value)}`
  }
  return `${field}:${quoted(value)}`
}

/** `filter` with `term`, or without it when it is there already. */
export function toggled(filter: string, wanted: string): string {
  const padded = ` ${filter} `
  if (padded.includes(` ${wanted} `)) return padded.replace(` ${wanted} `, ' ').trim()
  const whole = filter.trim()
  // What is joined by `or` stays one condition.
  const first = /(^|\s)or(\s|$)/i.test(whole) ? `(${whole})` : whole
  return `${first} ${wanted}`.trim()
}
