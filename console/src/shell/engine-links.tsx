/** The menu's part that engines bring. A locked engine keeps its place: its page says why, and what unlocks it. */
import { Badge, NavLink, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'

import { t } from '../i18n'
import { type NavigationGroup, useEngineNavigation } from '../plugin-kit/console'

export function EngineLinks({ path, onChosen }: { path: string; onChosen: () => void }) {
  const groups = useEngineNavigation().filter((group) => group.pages.length > 0)
  return groups.map((group) => (
    <div key={group.ui.id}>
      <Text size="xs" c="dimmed" fw={600} px="sm" pb={4}>
        {group.ui.name}
      </Text>
      {group.pages.map((page) => (
        // Another version may count in another way: then it is another component.
        <EngineLink key={`${group.ui.digest}${page.path}`} page={page} locked={group.locked} path={path} onChosen={onChosen} />
      ))}
    </div>
  ))
}

const NO_COUNT = () => undefined

interface Props {
  page: NavigationGroup['pages'][number]
  locked: boolean
  path: string
  onChosen: () => void
}

function EngineLink({ page, locked, path, onChosen }: Props) {
  const count = (page.useCount ?? NO_COUNT)()
  const here = path === page.href || path.startsWith(`${page.href}/`)
  return (
    <NavLink
      component={Link}
      to={page.href}
      onClick={onChosen}
      label={page.label}
      active={here}
      aria-current={here ? 'page' : undefined}
      rightSection={mark(locked, count)}
    />
  )
}

function mark(locked: boolean, count: number | undefined) {
  if (locked) {
    return (
      <Badge size="sm" color="gray" variant="light" tt="none">
        {t('kit.locked.mark')}
      </Badge>
    )
  }
  return count ? (
    <Badge size="sm" color="orange" variant="filled" autoContrast>
      {count}
    </Badge>
  ) : null
}
