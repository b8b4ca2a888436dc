/** What may come after the first picture, so that it does not wait for it. */
import { type ReactNode, useEffect, useState } from 'react'

export function Later({ children, before = null }: { children: ReactNode; before?: ReactNode }) {
  const [now, setNow] = useState(false)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    // In the frame's callback the picture is not painted yet; what is queued there runs after it.
    const frame = requestAnimationFrame(() => {
      timer = setTimeout(() => setNow(true))
    })
    return () => {
      cancelAnimationFrame(frame)
      clearTimeout(timer)
    }
  }, [])
  return now ? children : before
}
