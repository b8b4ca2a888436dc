/** What a role's list of permissions holds. */

/** Whether one of a role's permissions, which may end in `*`, covers `name`. */
export function covers(held: string[], name: string): boolean {
  return held.some((h) => h === name || h === '*' || (h.endsWith('*') && name.startsWith(h.slice(0, -1))))
}
