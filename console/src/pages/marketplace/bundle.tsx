/** For a host without a network: a file with catalogue, engines, licence and revocations, made by the portal. */
import { Alert, Button, FileButton, Group, List, Text } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'

import type { Schema } from '../../api/client'
import { send } from '../../api/upload'
import { number, t, word } from '../../i18n'
import { useMay } from '../../shell/session'
import { FailurePanel, Panel } from '../../ui/panels'
import { plain } from '../../ui/text'
import { KEYS } from './queries'

type Brought = Schema['MarketImport']

export function Bundle() {
  const may = useMay()
  const queries = useQueryClient()
  const forget = useRef<() => void>(null)
  const [percent, setPercent] = useState<number>()
  const [brought, setBrought] = useState<Brought>()
  const [error, setError] = useState<unknown>()
  if (!may('engines:install')) return null

  async function take(file: File | null) {
    forget.current?.()
    if (!file) return
    setError(undefined)
    setBrought(undefined)
    setPercent(0)
    try {
      setBrought(await send<Brought>('/api/v1/marketplace/-/import', file, setPercent))
    } catch (failed) {
      setError(failed)
    } finally {
      setPercent(undefined)
      for (const key of [...KEYS, 'engines', 'license']) void queries.invalidateQueries({ queryKey: [key] })
    }
  }

  return (
    <Panel large title={t('market.bundle')}>
      <Text size="sm" mb="sm">
        {t('market.bundle.hint')}
      </Text>
      <Group>
        <FileButton resetRef={forget} onChange={(file) => void take(file)} accept=".bundle,application/octet-stream">
          {(props) => (
            <Button variant="default" loading={percent !== undefined} {...props}>
              {t('market.bundle.choose')}
            </Button>
          )}
        </FileButton>
        {percent === undefined ? null : <Text size="sm">{`${number(percent)} %`}</Text>}
      </Group>
      {error ? <FailurePanel error={error} /> : null}
      {brought ? <Told brought={brought} /> : null}
    </Panel>
  )
}

function Told({ brought }: { brought: Brought }) {
  return (
    <Alert color="green" variant="light" mt="sm" title={t('market.bundle.done')} role="status">
      <List size="sm">
        {brought.license ? <List.Item>{t('market.bundle.license')}</List.Item> : null}
        {brought.revocations ? <List.Item>{t('market.bundle.revocations')}</List.Item> : null}
        {brought.engines.map((e) => (
          <List.Item key={`${e.engine} ${e.version}`}>
            {`${plain(e.engine)} ${plain(e.version)}: `}
            {e.problem ? plain(e.problem.detail) : word('state', e.state ?? '')}
          </List.Item>
        ))}
      </List>
    </Alert>
  )
}
