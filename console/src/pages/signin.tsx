/** Signing in, and the first set-up of a host. */
import { Alert, Button, Card, Center, Code, Divider, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Navigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, type ReactNode, useState } from 'react'

import { call, client, data, type Schema } from '../api/client'
import { t, useLanguage } from '../i18n'
import { FailurePanel, Outcome } from '../ui/panels'
import { plain } from '../ui/text'
import { EnrolmentPicture, RecoveryCodes } from './access/second-factor'

const setupQuery = {
  queryKey: ['setup'],
  queryFn: () => data(client.GET('/api/v1/setup')),
}

const methodsQuery = {
  queryKey: ['auth-methods'],
  queryFn: () => data(client.GET('/api/v1/auth/methods')),
  retry: false,
}

function Frame({ title, children }: { title: string; children: ReactNode }) {
  useLanguage()
  return (
    <Center mih="100vh" p="md" component="main">
      <Card withBorder padding="xl" w={400} maw="100%" shadow="sm">
        <Stack>
          <Text fw={700} size="lg" className="brand">
            SysManage
          </Text>
          <Title order={1} size="h3">
            {title}
          </Title>
          {children}
        </Stack>
      </Card>
    </Center>
  )
}

/** Where to go after signing in: a path of this console, never another site. */
export function safeReturn(then: unknown): string {
  return typeof then === 'string' && /^\/(?![/\\])/.test(then) ? then : '/'
}

interface Half {
  next?: string
  half_session?: string
}

export function SignIn() {
  const { then, error: refused } = useSearch({ strict: false }) as { then?: string; error?: string }
  const methods = useQuery(methodsQuery)
  const setup = useQuery(setupQuery)
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const [half, setHalf] = useState<string>()
  const [enrolment, setEnrolment] = useState<Schema['Enrolment']>()
  const [codes, setCodes] = useState<string[]>()
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)

  async function submit(event: FormEvent) {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      if (enrolment) {
        const made = await call<Schema['EnrolledSession']>('POST', '/api/v1/session/totp/confirm', { half_session: half, code })
        setCodes(made.recovery_codes)
        return
      }
      const answer = half
        ? await call<Half>('POST', '/api/v1/session/totp', { half_session: half, code })
        : await call<Half>('POST', '/api/v1/session', { name, password })
      if (answer.next) setHalf(answer.half_session)
      if (answer.next === 'enrol_totp') {
        setEnrolment(await call<Schema['Enrolment']>('POST', '/api/v1/session/totp/enrol', { half_session: answer.half_session }))
      } else if (!answer.next) location.assign(safeReturn(then))
    } catch (failed) {
      setError(failed)
    } finally {
      setBusy(false)
    }
  }

  if (setup.data?.needed) return <Navigate to="/setup" />
  if (codes) {
    return (
      <Frame title={t('totp.codes.title')}>
        <RecoveryCodes codes={codes} done={() => location.assign(safeReturn(then))} />
      </Frame>
    )
  }
  return (
    <Frame title={t(half ? 'signin.code.title' : 'signin.title')}>
      <form onSubmit={(e) => void submit(e)}>
        <Stack>
          {error ? <FailurePanel error={error} /> : null}
          {refused && !error ? (
            <Alert color="red" variant="light" role="alert" title={t('app.failed')}>
              {t('signin.oidc.failed')} <Code>{plain(refused)}</Code>
            </Alert>
          ) : null}
          {enrolment ? <EnrolmentPicture enrolment={enrolment} /> : null}
          {half ? (
            <TextInput
              label={t('signin.code')}
              value={code}
              onChange={(e) => setCode(e.currentTarget.value)}
              autoComplete="one-time-code"
              autoFocus
              required
            />
          ) : (
            <>
              <TextInput
                label={t('signin.name')}
                value={name}
                onChange={(e) => setName(e.currentTarget.value)}
                autoComplete="username"
                autoFocus
                required
              />
              <PasswordInput
                label={t('signin.password')}
                value={password}
                onChange={(e) => setPassword(e.currentTarget.value)}
                autoComplete="current-password"
                required
              />
            </>
          )}
          <Button type="submit" loading={busy}>
            {t('signin.submit')}
          </Button>
        </Stack>
      </form>
      {half ? null : <Providers methods={methods.data} then={then} />}
    </Frame>
  )
}

/** Other ways in, as the host is configured for. */
function Providers({ methods, then }: { methods: Schema['AuthMethods'] | undefined; then: string | undefined }) {
  if (!methods || methods.oidc.length === 0) return null
  return (
    <Stack gap="xs">
      <Divider label={t('signin.or')} />
      {methods.oidc.map((provider) => (
        <Button key={provider.id} variant="default" component="a" href={`${provider.start}?return_to=${encodeURIComponent(safeReturn(then))}`}>
          {t('signin.oidc', { name: plain(provider.name) })}
        </Button>
      ))}
    </Stack>
  )
}

/** A link that somebody with the right sent: a name, a password, and one is in. */
export function AcceptInvitation() {
  const [token] = useState(() => location.hash.slice(1))
  const offer = useQuery({
    queryKey: ['invitation', token],
    queryFn: () => call<Schema['Offer']>('POST', '/api/v1/invitations/-/look', { token }),
    enabled: token !== '',
    retry: false,
  })
  return (
    <Frame title={t('invite.accept')}>
      {token === '' ? <Text size="sm">{t('invite.nolink')}</Text> : <Outcome of={offer}>{(found) => <AcceptForm token={token} offer={found} />}</Outcome>}
    </Frame>
  )
}

/** A new password, written twice, and what is done with it; afterwards the page is left. */
function useNewPassword(send: (password: string) => Promise<void>) {
  const [password, setPassword] = useState('')
  const [again, setAgain] = useState('')
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const differs = again !== '' && again !== password

  async function submit(event: FormEvent) {
    event.preventDefault()
    if (password !== again) return
    setBusy(true)
    setError(undefined)
    try {
      await send(password)
    } catch (failed) {
      setError(failed)
      setBusy(false)
    }
  }

  return { password, setPassword, again, setAgain, error, busy, differs, submit }
}

function AcceptForm({ token, offer }: { token: string; offer: Schema['Offer'] }) {
  const [name, setName] = useState(offer.name ?? '')
  const { password, setPassword, again, setAgain, error, busy, differs, submit } = useNewPassword(async (password) => {
    const user = await call<Schema['User']>('POST', '/api/v1/invitations/-/accept', { token, name: offer.name ? null : name, password })
    const answer = await call<Half>('POST', '/api/v1/session', { name: user.name, password })
    location.assign(answer.next ? '/signin' : '/')
  })

  return (
    <form onSubmit={(e) => void submit(e)}>
      <Stack>
        <Text size="sm">{t('invite.roles', { roles: plain(offer.roles.join(', ')) || t('app.none') })}</Text>
        {error ? <FailurePanel error={error} /> : null}
        <TextInput label={t('signin.name')} value={name} onChange={(e) => setName(e.currentTarget.value)} readOnly={Boolean(offer.name)} autoComplete="username" required />
        <PasswordInput
          label={t('setup.password')}
          description={t('invite.length', { count: offer.password_min_length })}
          value={password}
          onChange={(e) => setPassword(e.currentTarget.value)}
          minLength={offer.password_min_length}
          autoComplete="new-password"
          required
        />
        <PasswordInput label={t('setup.again')} value={again} onChange={(e) => setAgain(e.currentTarget.value)} autoComplete="new-password" error={differs ? t('setup.mismatch') : undefined} required />
        <Button type="submit" loading={busy} disabled={differs}>
          {t('invite.accept')}
        </Button>
      </Stack>
    </form>
  )
}

export function Setup() {
  const setup = useQuery(setupQuery)
  const token = location.hash.slice(1)
  return (
    <Frame title={t('setup.title')}>
      <Outcome of={setup}>
        {(state) => {
          if (!state.needed) return <Navigate to="/signin" />
          return token ? <SetupForm token={token} /> : <NoLink />
        }}
      </Outcome>
    </Frame>
  )
}

function NoLink() {
  return (
    <>
      <Text size="sm">{t('setup.hint')}</Text>
      <Code block>sysmanage setup</Code>
    </>
  )
}

function SetupForm({ token }: { token: string }) {
  const [name, setName] = useState('admin')
  const { password, setPassword, again, setAgain, error, busy, differs, submit } = useNewPassword(async (password) => {
    await client.POST('/api/v1/setup', { body: { token, name, password } })
    await call('POST', '/api/v1/session', { name, password })
    location.assign('/')
  })

  return (
    <form onSubmit={(e) => void submit(e)}>
      <Stack>
        {error ? <FailurePanel error={error} /> : null}
        <TextInput label={t('setup.name')} value={name} onChange={(e) => setName(e.currentTarget.value)} autoComplete="username" required />
        <PasswordInput
          label={t('setup.password')}
          value={password}
          onChange={(e) => setPassword(e.currentTarget.value)}
          autoComplete="new-password"
          required
        />
        <PasswordInput
          label={t('setup.again')}
          value={again}
          onChange={(e) => setAgain(e.currentTarget.value)}
          autoComplete="new-password"
          error={differs ? t('setup.mismatch') : undefined}
          required
        />
        <Button type="submit" loading={busy} disabled={differs}>
          {t('setup.submit')}
        </Button>
      </Stack>
    </form>
  )
}

export function NotFound() {
  return (
    <Alert color="gray" title={t('app.notfound')}>
      {t('app.notfound.hint')}
    </Alert>
  )
}
