/** When a page shows its first text, and how much the machine had to do besides. */
import type { CDPSession, Page } from '@playwright/test'

interface Event {
  name: string
  ph: string
  pid: number
  tid: number
  ts: number
  dur?: number
  tdur?: number
}

export interface Paint {
  /** Milliseconds from the start of the navigation. */
  ms: number
  /** Time over processor time of the page's main thread: 1 when nobody else wants the processor, NaN when the trace does not tell. */
  contention: number
}

/** Open an address and trace its thread up to the first text. */
export async function paint(page: Page, url: string): Promise<Paint> {
  const session = await page.context().newCDPSession(page)
  const events: Event[] = []
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as Event[])))
  const traceConfig = { includedCategories: ['devtools.timeline', 'loading', 'blink.user_timing', 'disabled-by-default-devtools.timeline'] }
  await session.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig })
  await page.goto(url)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0)
  await ended(session)
  const ms = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]!.startTime)
  const first = events.filter((e) => e.name === 'firstContentfulPaint').at(-1)
  if (!first) return { ms, contention: Number.NaN }
  const begun = first.ts - ms * 1000
  const tasks = events.filter((e) => e.name === 'RunTask' && e.ph === 'X' && e.pid === first.pid && e.tid === first.tid && e.ts > begun && e.ts < first.ts)
  const sum = (of: (e: Event) => number | undefined) => tasks.reduce((all, e) => all + (of(e) ?? 0), 0)
  return { ms, contention: Math.max(1, sum((e) => e.dur) / sum((e) => e.tdur)) }
}

async function ended(session: CDPSession): Promise<void> {
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve))
  await session.send('Tracing.end')
  await complete
  await session.detach()
}
