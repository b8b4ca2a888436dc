/** Why somebody may do something, or may not: the host's own reasoning, role by role. */
import { Alert, Button, Card, Code, Group, Select, Stack, Table, Text, TextInput, Title } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

import { call, type Schema } from '../../api/client'
import { t, word } from '../../i18n'
import { useMay } from '../../shell/session'
import { FailurePanel } from '../../ui/panels'
import { plain } from '../../ui/text'
import { permissionsQuery } from './matrix'
import { usersQuery } from './users'

export function Explain() {
  const may = useMay()
  const permissions = useQuery(permissionsQuery)
  const users = useQuery({ ...usersQuery, enabled: may('users:read') })
  const [user, setUser] = useState<string | null>(null)
  const [permission, setPermission] = useState<string | null>(null)
  const [machine, setMachine] = useState('')
  const ask = useMutation({
    mutationFn: () => {
      const question: Schema['AccessQuestion'] = { permission: permission ?? '', user, machine: machine.trim() || null }
      return call<Schema['AccessAnswer']>('POST', '/api/v1/access/explain', question)
    },
  })
  function submit(event: FormEvent) {
    event.preventDefault()
    if (permission) ask.mutate()
  }
  return (
    <Card withBorder component="section" aria-label={t('explain.title')}>
      <Title order={2} size="h4" mb="sm">
        {t('explain.title')}
      </Title>
      <form onSubmit={submit}>
        <Group align="flex-end">
          {may('users:read') ? (
            <Select label={t('explain.user')} placeholder={t('explain.me')} data={users.data?.items.map((u) => u.name) ?? []} value={user} onChange={setUser} searchable clearable clearButtonProps={{ 'aria-label': t('explain.me') }} />
          ) : null}
          <Select className="grow" label={t('explain.permission')} data={permissions.data?.map((p) => p.name) ?? []} value={permission} onChange={setPermission} searchable required />
          <TextInput label={t('explain.machine')} value={machine} onChange={(e) => setMachine(e.currentTarget.value)} />
          <Button type="submit" loading={ask.isPending}>
            {t('explain.ask')}
          </Button>
        </Group>
      </form>
      {ask.error ? <FailurePanel error={ask.error} /> : null}
      {ask.data ? <Answer answer={ask.data} /> : null}
    </Card>
  )
}

function Answer({ answer }: { answer: Schema['AccessAnswer'] }) {
  return (
    <Stack mt="md" gap="sm" role="status">
      <Alert color={answer.allowed ? 'green' : 'orange'} variant="light" title={t(answer.allowed ? 'explain.yes' : 'explain.no')}>
        {plain(answer.reason)}
      </Alert>
      {answer.path.length > 0 ? (
        <Table verticalSpacing={4}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('users.roles')}</Table.Th>
              <Table.Th>{t('explain.verdict')}</Table.Th>
              <Table.Th>{t('explain.grant')}</Table.Th>
              <Table.Th>{t('roles.scope')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {answer.path.map((step) => (
              <Table.Tr key={step.role}>
                <Table.Td>{plain(step.role)}</Table.Td>
                <Table.Td>{word('verdict', step.verdict)}</Table.Td>
                <Table.Td>{step.grant ? <Code>{plain(step.grant)}</Code> : t('app.none')}</Table.Td>
                <Table.Td>{step.scope ? <Code>{plain(step.scope)}</Code> : t('roles.scope.all')}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      ) : null}
      {answer.roles_with_permission.length > 0 ? (
        <Text size="sm">
          {t('explain.roles')}: {plain(answer.roles_with_permission.join(', '))}
        </Text>
      ) : null}
    </Stack>
  )
}
