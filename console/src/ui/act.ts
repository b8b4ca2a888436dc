/** Doing something: tells what failed, and reads again what it changed. */
import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'

import { t } from '../i18n'
import { plain } from './text'

export function tell(message: string, color = 'green', title?: string): void {
  notifications.show({ message: plain(message), color, title })
}

export function tellFailure(error: unknown): void {
  tell(error instanceof Error ? error.message : String(error), 'red', t('app.failed'))
}

/** A mutation that reads `keys` again when it succeeds. */
export function useAct<A, R>(run: (argument: A) => Promise<R>, keys: string[], done?: (result: R) => void) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: run,
    onError: tellFailure,
    onSuccess: (result) => {
      for (const key of keys) void queries.invalidateQueries({ queryKey: [key] })
      done?.(result)
    },
  })
}
