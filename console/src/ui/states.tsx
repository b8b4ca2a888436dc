/** States as badges: a word and a colour, never a colour alone. */
import { Badge } from '@mantine/core'

import { t, word } from '../i18n'

const COLOURS: Record<string, string> = {
  succeeded: 'green', active: 'green', approved: 'green', granted: 'green', loaded: 'green',
  running: 'blue', dispatched: 'blue', queued: 'gray', draining: 'blue', discovered: 'gray', disabled: 'gray',
  cancelled: 'gray', pending: 'orange', read_only: 'orange', grace: 'orange', timed_out: 'orange',
  no_answer: 'orange', never_dispatched: 'orange', unlicensed: 'orange', incompatible: 'red', locked: 'orange',
  failed: 'red', rejected: 'red', refused: 'red', quarantined: 'red',
}

export function StateBadge({ state }: { state: string }) {
  return (
    <Badge variant="light" color={COLOURS[state] ?? 'gray'} tt="none" className="state">
      {word('state', state)}
    </Badge>
  )
}

export function OnlineBadge({ online }: { online: boolean }) {
  return (
    <Badge variant="dot" color={online ? 'green' : 'red'} tt="none" className="state">
      {t(online ? 'machine.online' : 'machine.offline')}
    </Badge>
  )
}
