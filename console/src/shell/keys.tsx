/** `?`: the keys of the console. `g` and a letter go to a page. */
import { Kbd, Modal, Table, Text } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'

import { t } from '../i18n'
import { usePages } from './navigation'

const LETTERS: Record<string, string> = {
  o: '/', h: '/machines', u: '/updates', s: '/software', c: '/changes', p: '/operations', e: '/engines', a: '/activity',
}
const SECOND_MS = 1_000

function writes(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

/** `g`, then a letter, within a second. */
function useGo(): void {
  const navigate = useNavigate()
  const paths = new Set(usePages().map((p) => p.path))
  const allowed = [...paths].join()
  useEffect(() => {
    let until = 0
    function key(event: KeyboardEvent) {
      if (writes(event.target) || event.ctrlKey || event.metaKey || event.altKey) return
      const to = LETTERS[event.key]
      if (event.timeStamp < until && to && allowed.split(',').includes(to)) {
        event.preventDefault()
        void navigate({ to })
      }
      until = event.key === 'g' ? event.timeStamp + SECOND_MS : 0
    }
    document.addEventListener('keydown', key)
    return () => document.removeEventListener('keydown', key)
  }, [navigate, allowed])
}

export function Keys() {
  const [open, setOpen] = useState(false)
  const pages = usePages()
  useGo()
  useHotkeys([['shift+?', () => setOpen(true)], ['?', () => setOpen(true)]])
  const go = Object.entries(LETTERS).flatMap(([letter, path]) => {
    const page = pages.find((p) => p.path === path)
    return page ? [[['g', letter], t('keys.go', { page: t(page.title) })] as [string[], string]] : []
  })
  const keys: [string[], string][] = [
    [['Ctrl', 'K'], t('keys.palette')],
    [['/'], t('keys.palette')],
    [['?'], t('keys.help')],
    ...go,
    [['↑', '↓'], t('keys.choose')],
    [['Esc'], t('keys.close')],
  ]
  return (
    <Modal opened={open} onClose={() => setOpen(false)} title={t('keys.title')}>
      <Table withRowBorders={false} verticalSpacing={4}>
        <Table.Tbody>
          {keys.map(([strokes, meaning]) => (
            <Table.Tr key={strokes.join()}>
              <Table.Td w={120}>
                {strokes.map((stroke) => (
                  <Kbd key={stroke} me={4}>
                    {stroke}
                  </Kbd>
                ))}
              </Table.Td>
              <Table.Td>
                <Text size="sm">{meaning}</Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  )
}
