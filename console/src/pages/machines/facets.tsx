/** How the hosts of a filter divide, as chips that narrow it. */
import { Chip, Group, Menu, UnstyledButton } from '@mantine/core'

import type { Schema } from '../../api/client'
import { number, t, word } from '../../i18n'
import { plain } from '../../ui/text'

type Facets = Schema['Facets']

/** A facet and the selector's field that names it. */
const FIELDS: [keyof Omit<Facets, 'total'>, string][] = [
  ['online', 'online'],
  ['needs', 'needs'],
  ['os', 'os'],
  ['os_version', 'os.version'],
  ['arch', 'arch'],
  ['tag', 'tag'],
  ['state', 'state'],
]

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

interface Props {
  facets: Facets
  filter: string
  onFilter: (filter: string) => void
}

const SHOWN: Record<string, number> = { online: 2, needs: 3, state: 0, os: 3, os_version: 0, arch: 0, tag: 4 }

export function FacetChips({ facets, filter, onFilter }: Props) {
  const all = FIELDS.flatMap(([name, field]) =>
    facets[name].filter((f) => f.machines > 0).map((f, i) => ({ ...f, name, field, first: i < (SHOWN[name] ?? 0), term: term(field, f.value) })),
  )
  const holds = (wanted: string) => ` ${filter} `.includes(` ${wanted} `)
  const chips = all.filter((f) => f.first || holds(f.term))
  const rest = all.filter((f) => !f.first && !holds(f.term))
  return (
    <Group gap={6} mb="sm" role="group" aria-label={t('machines.facets')}>
      {chips.map((f) => (
        <Chip key={f.term} size="xs" variant="outline" checked={holds(f.term)} onChange={() => onFilter(toggled(filter, f.term))}>
          {label(f.name, f.value)} · {number(f.machines)}
        </Chip>
      ))}
      {rest.length > 0 ? (
        <Menu position="bottom-start" withinPortal>
          <Menu.Target>
            <UnstyledButton className="more-facets">{t('machines.morefacets')}</UnstyledButton>
          </Menu.Target>
          <Menu.Dropdown mah={320} className="scrolls">
            {rest.map((f) => (
              <Menu.Item key={f.term} onClick={() => onFilter(toggled(filter, f.term))}>
                {word('facet', f.name)}: {label(f.name, f.value)} · {number(f.machines)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      ) : null}
    </Group>
  )
}

function label(name: string, value: string): string {
  if (name === 'online') return t(value === 'yes' ? 'machine.online' : 'machine.offline')
  if (name === 'needs') return word('needs', value)
  if (name === 'state') return word('state', value)
  return plain(value)
}
