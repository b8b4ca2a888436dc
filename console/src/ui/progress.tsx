/** How far an operation is: a bar by state, and the same in words. */
import { Group, Progress as Bar, Text } from '@mantine/core'

import { word } from '../i18n'

const SHADES: [string, string][] = [
  ['succeeded', 'green'],
  ['failed', 'red'],
  ['timed_out', 'orange'],
  ['no_answer', 'orange'],
  ['never_dispatched', 'orange'],
  ['cancelled', 'gray'],
  ['running', 'blue'],
  ['dispatched', 'cyan'],
]

export function Progress({ counts, total }: { counts: Record<string, number>; total: number }) {
  const parts = Object.entries(counts).filter(([, n]) => n > 0)
  const words = parts.map(([state, n]) => `${n} ${word('state', state)}`).join(', ')
  return (
    <Group gap="xs" wrap="nowrap" className="progress">
      <Bar.Root size="sm" w={90} className="fixed">
        {SHADES.map(([state, color]) => {
          const share = total > 0 ? ((counts[state] ?? 0) / total) * 100 : 0
          return share > 0 ? <Bar.Section key={state} value={share} color={color} aria-label={word('state', state)} /> : null
        })}
      </Bar.Root>
      <Text size="xs" c="dimmed">
        {words}
      </Text>
    </Group>
  )
}
