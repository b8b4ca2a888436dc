/** One's second factor: set up with an authenticator, recovery codes, taken off again. */
import { Alert, Badge, Button, Card, Code, Group, PasswordInput, SimpleGrid, Stack, Text, TextInput, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

import { call, client, data, type Schema } from '../../api/client'
import { t } from '../../i18n'
import { tell, useAct } from '../../ui/act'
import { CopyLine } from '../../ui/copy'
import { Outcome } from '../../ui/panels'

type Enrolment = Schema['Enrolment']

export function SecondFactor() {
  const factor = useQuery({ queryKey: ['totp'], queryFn: () => data(client.GET('/api/v1/me/totp')) })
  const [codes, setCodes] = useState<string[]>()
  return (
    <Card withBorder component="section" aria-label={t('totp.title')}>
      <Title order={2} size="h4" mb="sm">
        {t('totp.title')}
      </Title>
      {codes ? (
        <RecoveryCodes codes={codes} done={() => setCodes(undefined)} />
      ) : (
        <Outcome of={factor}>{(found) => (found.enabled ? <On factor={found} told={setCodes} /> : <Off required={found.required} told={setCodes} />)}</Outcome>
      )}
    </Card>
  )
}

/** A one-time view of an enrolment: the picture for a telephone, the secret for everything else. */
export function EnrolmentPicture({ enrolment }: { enrolment: Enrolment }) {
  // As a picture, so that markup of an answer never becomes the page's.
  const url = `data:image/svg+xml,${encodeURIComponent(enrolment.qr_svg)}`
  return (
    <Stack gap="xs">
      <Text size="sm">{t('totp.scan')}</Text>
      <img className="qr" src={url} width={200} height={200} alt={t('totp.qr')} />
      <Text size="sm">{t('totp.secret')}</Text>
      <CopyLine text={enrolment.secret} label={t('totp.secret')} />
    </Stack>
  )
}

interface Told {
  told: (codes: string[]) => void
}

function Off({ required, told }: Told & { required: boolean }) {
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const [enrolment, setEnrolment] = useState<Enrolment>()
  const begin = useAct(() => call<Enrolment>('POST', '/api/v1/me/totp', { password }), [], setEnrolment)
  const confirm = useAct(
    () => call<Schema['RecoveryCodes']>('POST', '/api/v1/me/totp/confirm', { code: code.trim() }),
    ['totp', 'me'],
    (made) => told(made.recovery_codes),
  )
  function submit(event: FormEvent) {
    event.preventDefault()
    if (enrolment) confirm.mutate(undefined)
    else begin.mutate(undefined)
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm">{t('totp.off')}</Text>
        {required ? (
          <Alert color="orange" variant="light" py="xs">
            {t('totp.required')}
          </Alert>
        ) : null}
        {enrolment ? (
          <>
            <EnrolmentPicture enrolment={enrolment} />
            <TextInput label={t('totp.code')} value={code} onChange={(e) => setCode(e.currentTarget.value)} autoComplete="one-time-code" inputMode="numeric" required />
          </>
        ) : (
          <PasswordInput label={t('account.current')} value={password} onChange={(e) => setPassword(e.currentTarget.value)} autoComplete="current-password" required />
        )}
        <Button type="submit" loading={begin.isPending || confirm.isPending}>
          {t(enrolment ? 'totp.confirm' : 'totp.begin')}
        </Button>
      </Stack>
    </form>
  )
}

function On({ factor, told }: Told & { factor: Schema['SecondFactor'] }) {
  const [password, setPassword] = useState('')
  const renew = useAct(
    () => call<Schema['RecoveryCodes']>('POST', '/api/v1/me/totp/recovery-codes', { password }),
    ['totp'],
    (made) => told(made.recovery_codes),
  )
  const disable = useAct(() => call('POST', '/api/v1/me/totp/disable', { password }), ['totp', 'me'], () => tell(t('totp.disabled')))
  return (
    <Stack>
      <Group gap="sm">
        <Badge color="green" variant="light" tt="none">
          {t('security.on')}
        </Badge>
        <Text size="sm">{t('totp.left', { count: factor.recovery_codes_left })}</Text>
      </Group>
      <PasswordInput label={t('totp.password')} value={password} onChange={(e) => setPassword(e.currentTarget.value)} autoComplete="current-password" />
      <Group>
        <Button variant="default" disabled={!password} loading={renew.isPending} onClick={() => renew.mutate(undefined)}>
          {t('totp.renew')}
        </Button>
        <Button color="red" variant="outline" disabled={!password || factor.required} loading={disable.isPending} onClick={() => disable.mutate(undefined)}>
          {t('totp.disable')}
        </Button>
      </Group>
    </Stack>
  )
}

export function RecoveryCodes({ codes, done }: { codes: string[]; done: () => void }) {
  return (
    <Stack>
      <Alert color="blue" variant="light">
        {t('totp.codes')}
      </Alert>
      <SimpleGrid cols={2} spacing="xs" role="list" aria-label={t('totp.codes.title')}>
        {codes.map((code) => (
          <Code key={code} role="listitem">
            {code}
          </Code>
        ))}
      </SimpleGrid>
      <CopyLine text={codes.join('\n')} label={t('totp.codes.title')} />
      <Button onClick={done}>{t('totp.kept')}</Button>
    </Stack>
  )
}
