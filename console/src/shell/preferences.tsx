/** Colours, contrast, language, and the way out. */
import { Anchor, Button, Divider, Popover, SegmentedControl, Stack, Switch, Text, UnstyledButton, useMantineColorScheme } from '@mantine/core'
import { IconLogout, IconUserCircle } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import { client } from '../api/client'
import { disconnect } from '../api/events'
import { languages, setLanguage, t, useLanguage } from '../i18n'
import { plain } from '../ui/text'
import { meQuery } from './session'

const CONTRAST = 'sysmanage.contrast'

export function applyContrast(high = localStorage.getItem(CONTRAST) === 'high'): boolean {
  document.documentElement.dataset.contrast = high ? 'high' : 'normal'
  return high
}

export function AccountMenu() {
  const me = useQuery(meQuery)
  const queries = useQueryClient()
  const language = useLanguage()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const [contrast, setContrast] = useState(() => applyContrast())
  const [open, setOpen] = useState(false)

  const label = t('app.profile', { name: plain(me.data?.name ?? '') })

  async function signOut() {
    await client.DELETE('/api/v1/session').catch(() => undefined)
    disconnect()
    queries.clear()
    location.assign('/signin')
  }

  return (
    <Popover position="bottom-end" width={270} trapFocus opened={open} onChange={setOpen}>
      <Popover.Target>
        <UnstyledButton aria-label={label} className="round" onClick={() => setOpen(!open)}>
          <IconUserCircle size={24} aria-hidden />
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown aria-label={label}>
        <Stack gap="xs">
          <Text fw={600}>{plain(me.data?.name ?? '')}</Text>
          <Anchor component={Link} to="/account" size="sm" onClick={() => setOpen(false)}>
            {t('nav.account')}
          </Anchor>
          <Divider />
          <Text size="xs" c="dimmed">
            {t('app.theme')}
          </Text>
          <SegmentedControl
            size="xs"
            fullWidth
            aria-label={t('app.theme')}
            value={colorScheme}
            onChange={(value) => setColorScheme(value as 'light' | 'dark' | 'auto')}
            data={[
              { value: 'light', label: t('app.theme.light') },
              { value: 'dark', label: t('app.theme.dark') },
              { value: 'auto', label: t('app.theme.auto') },
            ]}
          />
          <Switch
            size="sm"
            label={t('app.contrast')}
            checked={contrast}
            onChange={(event) => {
              const high = event.currentTarget.checked
              localStorage.setItem(CONTRAST, high ? 'high' : 'normal')
              setContrast(applyContrast(high))
            }}
          />
          <Text size="xs" c="dimmed">
            {t('app.language')}
          </Text>
          <SegmentedControl
            size="xs"
            fullWidth
            aria-label={t('app.language')}
            value={language}
            onChange={setLanguage}
            data={Object.entries(languages).map(([value, label]) => ({ value, label }))}
          />
          <Divider />
          <Button variant="default" leftSection={<IconLogout size={16} aria-hidden />} onClick={() => void signOut()}>
            {t('app.signout')}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}
