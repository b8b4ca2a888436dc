/** Settings: tags and saved searches, how long the audit log is kept, hosts that do not report, the host's authority, and what engines bring. */
import { Badge, Button, Code, Group, NumberInput, SimpleGrid, Stack, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

import { call, client, data, type Schema } from '../api/client'
import { number, t } from '../i18n'
import { useEngineSettings } from '../plugin-kit/console'
import { useMay } from '../shell/session'
import { tell, useAct } from '../ui/act'
import { CopyLine } from '../ui/copy'
import { Empty, Outcome, PageHead, Panel } from '../ui/panels'
import { DataTable } from '../ui/table'
import { plain } from '../ui/text'
import { DeleteSearch, searchesQuery } from './machines/searches'
import { StaleHosts } from './stale'

export function Settings() {
  const may = useMay()
  const brought = useEngineSettings(may)
  return (
    <>
      <PageHead title={t('settings.title')} />
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        {may('tags:read') ? <Tags /> : null}
        {may('searches:read') ? <Searches /> : null}
        {may('audit:read') ? <Retention /> : null}
        {may('settings:read') ? <StaleHosts /> : null}
        {may('machines:read') ? <Authority /> : null}
        {brought.map((part) => (
          <Panel large key={part.key} title={part.label}>
            {part.render()}
          </Panel>
        ))}
      </SimpleGrid>
    </>
  )
}

function Tags() {
  const may = useMay()
  const tags = useQuery({ queryKey: ['tags'], queryFn: () => data(client.GET('/api/v1/tags')) })
  const remove = useAct((name: string) => client.DELETE('/api/v1/tags/{name}', { params: { path: { name } } }), ['tags', 'machines'])
  return (
    <Panel large title={t('machine.tags')}>
      <Outcome of={tags}>
        {(found) =>
          found.length === 0 ? (
            <Empty title={t('settings.notags')} hint={t('settings.notags.hint')} />
          ) : (
            <DataTable
              label={t('machine.tags')}
              rows={found}
              rowKey={(tag) => tag.name}
              columns={[
                {
                  title: t('users.name'),
                  cell: (tag) => (
                    <>
                      <Text size="sm" fw={600}>
                        {plain(tag.name)}
                      </Text>
                      <Text size="xs" c="dimmed">
                        {plain(tag.description)}
                      </Text>
                    </>
                  ),
                },
                { title: t('nav.machines'), cell: (tag) => <Text size="sm">{number(tag.machines)}</Text> },
                { title: t('settings.rule'), cell: (tag) => <TagRule tag={tag} /> },
                ...(may('tags:manage')
                  ? [
                      {
                        title: t('app.actions'),
                        cell: (tag: Schema['Tag']) => (
                          <Button size="compact-sm" variant="subtle" color="red" onClick={() => remove.mutate(tag.name)} aria-label={`${t('app.delete')}: ${plain(tag.name)}`}>
                            {t('app.delete')}
                          </Button>
                        ),
                      },
                    ]
                  : []),
              ]}
            />
          )
        }
      </Outcome>
    </Panel>
  )
}

function TagRule({ tag }: { tag: Schema['Tag'] }) {
  const may = useMay()
  const [rule, setRule] = useState(tag.selector ?? '')
  const save = useAct(
    () => data(client.PATCH('/api/v1/tags/{name}', { params: { path: { name: tag.name } }, body: { selector: rule } })),
    ['tags', 'machines'],
    () => tell(t('app.saved')),
  )
  if (!may('tags:manage')) return <Code>{plain(tag.selector ?? '')}</Code>
  function submit(event: FormEvent) {
    event.preventDefault()
    save.mutate(undefined)
  }
  return (
    <form onSubmit={submit}>
      <Group gap={4} wrap="nowrap">
        <TextInput size="xs" className="grow" aria-label={`${t('settings.rule')}: ${plain(tag.name)}`} placeholder={t('settings.byhand')} value={rule} onChange={(e) => setRule(e.currentTarget.value)} />
        <Button size="compact-sm" type="submit" variant="subtle" disabled={rule === (tag.selector ?? '')} loading={save.isPending}>
          {t('app.save')}
        </Button>
      </Group>
    </form>
  )
}

function Searches() {
  const may = useMay()
  const searches = useQuery(searchesQuery)
  return (
    <Panel large title={t('searches.title')}>
      <Outcome of={searches}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty title={t('searches.empty')} hint={t('searches.empty.hint')} />
          ) : (
            <DataTable
              label={t('searches.title')}
              rows={page.items}
              rowKey={(s) => s.id}
              columns={[
                {
                  title: t('users.name'),
                  cell: (s) => (
                    <Group gap={6}>
                      <Text size="sm" fw={600}>
                        {plain(s.name)}
                      </Text>
                      {s.shared ? (
                        <Badge size="sm" variant="light" color="gray" tt="none">
                          {t('searches.shared')}
                        </Badge>
                      ) : null}
                    </Group>
                  ),
                },
                { title: t('machines.filter'), cell: (s) => <Code>{plain(s.selector)}</Code> },
                { title: t('searches.owner'), cell: (s) => <Text size="sm">{plain(s.owner_name)}</Text> },
                ...(may('searches:write')
                  ? [{ title: t('app.actions'), cell: (s: Schema['Search']) => <DeleteSearch id={s.id} name={s.name} /> }]
                  : []),
              ]}
            />
          )
        }
      </Outcome>
    </Panel>
  )
}

function Retention() {
  const may = useMay()
  const kept = useQuery({ queryKey: ['retention'], queryFn: () => data(client.GET('/api/v1/audit/retention')) })
  const [days, setDays] = useState<string | number>()
  const save = useAct(
    () => data(client.PUT('/api/v1/audit/retention', { body: { days: Number(days) } })),
    ['retention'],
    () => tell(t('app.saved')),
  )
  return (
    <Panel large title={t('settings.audit')}>
      <Outcome of={kept}>
        {(found) => (
          <Stack gap="sm">
            <Text size="sm">{t('settings.audit.hint')}</Text>
            <Group align="flex-end">
              <NumberInput label={t('settings.audit.days')} value={days ?? found.days} onChange={setDays} min={0} max={36_500} disabled={!may('settings:manage')} />
              <Button disabled={days === undefined || !may('settings:manage')} loading={save.isPending} onClick={() => save.mutate(undefined)}>
                {t('app.save')}
              </Button>
            </Group>
            <Button component="a" href="/api/v1/audit/export" download variant="default" w="fit-content">
              {t('settings.audit.export')}
            </Button>
          </Stack>
        )}
      </Outcome>
    </Panel>
  )
}

function Authority() {
  const authority = useQuery({ queryKey: ['authority'], queryFn: () => call<Schema['AuthorityInfo']>('GET', '/api/v1/authority') })
  return (
    <Panel large title={t('settings.authority')}>
      <Outcome of={authority}>
        {(found) => (
          <Stack gap="sm">
            <Text size="sm">{t('settings.authority.hint')}</Text>
            <CopyLine label={t('machine.fingerprint')} text={found.fingerprint} />
            <CopyLine label={t('settings.gateway')} text={found.gateway_url} />
          </Stack>
        )}
      </Outcome>
    </Panel>
  )
}
