/** The frame around every page of somebody who is signed in. */
import { AppShell, Burger, Group, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Link, Navigate, Outlet, useRouterState } from '@tanstack/react-router'
import { useEffect } from 'react'

import { Failure, whenSignedOut } from '../api/client'
import { connect, disconnect } from '../api/events'
import { t, useLanguage } from '../i18n'
import { startEngines } from '../plugin-kit/console'
import { Later } from '../ui/later'
import { Boundary, FailurePanel, Waiting } from '../ui/panels'
import { Dock } from './dock'
import { Keys } from './keys'
import { Navigation } from './navigation'
import { LineState, Notices } from './notices'
import { Palette } from './palette'
import { AccountMenu } from './preferences'
import { meQuery } from './session'

export function Layout() {
  const language = useLanguage()
  const me = useQuery(meQuery)
  const path = useRouterState({ select: (s) => s.location.pathname })
  const [menu, { toggle, close }] = useDisclosure(false)
  const signedIn = me.data !== undefined
  useEffect(() => {
    if (!signedIn) return
    whenSignedOut(() => location.assign(`/signin?then=${encodeURIComponent(location.pathname + location.search)}`))
    connect()
    const stopEngines = startEngines()
    return () => {
      stopEngines()
      disconnect()
    }
  }, [signedIn])
  if (me.error instanceof Failure && me.error.status === 401) return <Navigate to="/signin" search={{ then: path }} />
  if (me.error) return <FailurePanel error={me.error} retry={() => void me.refetch()} />
  if (!signedIn) return <Waiting />
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 230, breakpoint: 'sm', collapsed: { mobile: !menu } }}
      padding="md"
    >
      <a href="#content" className="skip">
        {t('app.skip')}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={menu} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t('app.menu')} />
            <Text component={Link} to="/" fw={700} className="brand">
              SysManage
            </Text>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <Keys />
            <Palette />
            <Notices />
            <AccountMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" className="scrolls">
        <Navigation onChosen={close} />
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <LineState />
        <Boundary key={`${language} ${path}`}>
          <Outlet />
        </Boundary>
        <div className="under-dock" />
      </AppShell.Main>
      <Later>
        <Dock />
      </Later>
    </AppShell>
  )
}
