/** Colours, contrast, language, and the way out. */
import { Menu, SegmentedControl, Stack, Switch, Text, UnstyledButton, useMantineColorScheme } from '@mantine/core'
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

  async function signOut() {
    await client.DELETE('/api/v1/session').catch(() => undefined)
    disconnect()
    queries.clear()
    location.assign('/signin')
  }

  return (
    <Menu position="bottom-end" width={260} closeOnItemClick={false}>
      <Menu.Target>
        <UnstyledButton aria-label={t('app.profile', { name: plain(me.data?.name ?? '') })} className="round">
          <IconUserCircle size={24} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{plain(me.data?.name ?? '')}</Menu.Label>
        <Menu.Item component={Link} to="/account" closeMenuOnClick>
          {t('nav.account')}
        </Menu.Item>
        <Menu.Divider />
        <Stack gap="xs" p="xs">
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
        </Stack>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => void signOut()}>
          {t('app.signout')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
