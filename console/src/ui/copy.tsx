/** Copying: a line for a terminal, or the page's request as curl. */
import { ActionIcon, Button, Code, CopyButton, Group, Tooltip } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'

import { asCurl } from '../api/client'
import { t } from '../i18n'

export function CopyLine({ text, label }: { text: string; label: string }) {
  return (
    <Group gap="xs" wrap="nowrap" align="flex-start">
      <Code block className="line" aria-label={label} tabIndex={0}>
        {text}
      </Code>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <Tooltip label={t(copied ? 'app.copied' : 'app.copy')}>
            <ActionIcon variant="default" size="lg" onClick={copy} aria-label={`${t('app.copy')}: ${label}`}>
              {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  )
}

export function CurlButton({ path, method = 'GET' }: { path: string; method?: string }) {
  return (
    <CopyButton value={asCurl(method, path)}>
      {({ copied, copy }) => (
        <Button variant="default" size="xs" onClick={copy}>
          {t(copied ? 'app.copied' : 'app.curl')}
        </Button>
      )}
    </CopyButton>
  )
}
