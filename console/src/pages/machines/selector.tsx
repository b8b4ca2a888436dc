/** The selector bar: the filter that is also the address, the saved search and the target of an operation. */
import { ActionIcon, Alert, Button, Code, Group, Popover, Stack, Table, Text, TextInput } from '@mantine/core'
import { IconHelp, IconSearch } from '@tabler/icons-react'
import { type FormEvent, useEffect, useState } from 'react'

import { Failure } from '../../api/client'
import { t } from '../../i18n'
import { FailurePanel } from '../../ui/panels'
import { pointed } from '../../ui/text'

interface Props {
  value: string
  onChange: (selector: string) => void
  error: unknown
}

export function SelectorBar({ value, onChange, error }: Props) {
  const [text, setText] = useState(value)
  useEffect(() => setText(value), [value])
  function submit(event: FormEvent) {
    event.preventDefault()
    onChange(text.trim())
  }
  return (
    <Stack gap={6} className="grow">
      <form onSubmit={submit} role="search">
        <Group gap="xs" wrap="nowrap">
          <TextInput
            className="grow"
            value={text}
            onChange={(e) => setText(e.currentTarget.value)}
            placeholder={t('machines.filter.example')}
            aria-label={t('machines.filter')}
            leftSection={<IconSearch size={16} aria-hidden />}
            rightSection={<Help />}
            spellCheck={false}
            autoCapitalize="off"
          />
          <Button type="submit" variant="default">
            {t('machines.filter')}
          </Button>
        </Group>
      </form>
      {error ? <Pointer text={value} error={error} /> : null}
    </Stack>
  )
}

/** The error below the character that it is about. */
function Pointer({ text, error }: { text: string; error: unknown }) {
  const at = error instanceof Failure ? error.problem.at : undefined
  if (!(error instanceof Failure) || typeof at !== 'number') return <FailurePanel error={error} />
  const { before, mark, after } = pointed(text, at)
  return (
    <Alert color="red" py="xs" role="alert">
      <Code className="pointed">
        {before}
        <mark>{mark}</mark>
        {after}
      </Code>
      <Text size="sm" mt={4}>
        {error.message}
      </Text>
    </Alert>
  )
}

const FIELDS: [string, string][] = [
  ['name:web-*', 'name, with * and ?'],
  ['tag:web', 'tag'],
  ['os:debian', 'family, distribution or name of the system'],
  ['state:pending', 'pending, approved, rejected'],
  ['online:no', 'whether its agent is connected'],
]

function Help() {
  return (
    <Popover position="bottom-end" withArrow width={340}>
      <Popover.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`${t('machines.filter')}?`}>
          <IconHelp size={18} aria-hidden />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown>
        <Text size="sm" mb="xs">
          {t('machines.filter.help')}
        </Text>
        <Table withRowBorders={false} verticalSpacing={2}>
          <Table.Tbody>
            {FIELDS.map(([example, meaning]) => (
              <Table.Tr key={example}>
                <Table.Td>
                  <Code>{example}</Code>
                </Table.Td>
                <Table.Td>
                  <Text size="xs">{meaning}</Text>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Popover.Dropdown>
    </Popover>
  )
}
