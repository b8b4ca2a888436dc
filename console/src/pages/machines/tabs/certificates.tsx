/** Certificates on a host, the next to end first. */
import { Badge, Code, Text } from '@mantine/core'

import type { Schema } from '../../../api/client'
import { ago, date, t } from '../../../i18n'
import { Empty } from '../../../ui/panels'
import { DataTable } from '../../../ui/table'
import { plain } from '../../../ui/text'
import { Section } from './section'

interface Certificate {
  key: string
  subject: string
  issuer: string
  names?: string[]
  path: string
  not_after: number
  key_algorithm?: string
  self_signed?: boolean
  authority?: boolean
  used_by?: string[]
}

const SOON_S = 30 * 86_400

/** How a certificate stands: ended, ends within thirty days, or holds. */
export function standing(notAfter: number, now = Date.now() / 1000): 'ended' | 'soon' | 'valid' {
  if (notAfter <= now) return 'ended'
  return notAfter - now < SOON_S ? 'soon' : 'valid'
}

const COLOURS = { ended: 'red', soon: 'orange', valid: 'green' }

function Ends({ at }: { at: number }) {
  const stands = standing(at)
  const iso = new Date(at * 1000).toISOString()
  return (
    <>
      <Badge variant="light" color={COLOURS[stands]} tt="none">
        {t(`certificates.${stands}`)}
      </Badge>
      <Text size="xs" c="dimmed" title={date(iso)}>
        {ago(iso)}
      </Text>
    </>
  )
}

export function CertificatesTab({ machine }: { machine: Schema['MachineDetails'] }) {
  return (
    <Section<{ certificates: Certificate[] }> machine={machine.id} name="certificates">
      {(found) =>
        found.certificates.length === 0 ? (
          <Empty title={t('certificates.none')} />
        ) : (
          <DataTable
            label={t('machine.tab.certificates')}
            rows={[...found.certificates].sort((a, b) => a.not_after - b.not_after)}
            rowKey={(c) => c.key}
            columns={[
              { title: t('certificates.ends'), width: 130, cell: (c) => <Ends at={c.not_after} /> },
              {
                title: t('certificates.subject'),
                cell: (c) => (
                  <>
                    <Text size="sm" fw={600}>
                      {plain(c.names?.join(', ') || c.subject)}
                    </Text>
                    <Text size="xs" c="dimmed">
                      {plain(c.key_algorithm ?? '')}
                    </Text>
                  </>
                ),
              },
              {
                title: t('certificates.issuer'),
                cell: (c) => (
                  <>
                    <Text size="sm">{plain(c.issuer)}</Text>
                    {c.self_signed ? (
                      <Badge size="sm" variant="light" color="gray" tt="none">
                        {t('certificates.selfsigned')}
                      </Badge>
                    ) : null}
                  </>
                ),
              },
              { title: t('certificates.usedby'), cell: (c) => <Text size="sm">{plain((c.used_by ?? []).join(', '))}</Text> },
              { title: t('certificates.file'), cell: (c) => <Code>{plain(c.path)}</Code> },
            ]}
          />
        )
      }
    </Section>
  )
}
