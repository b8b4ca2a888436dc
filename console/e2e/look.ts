/** What a page looks like, read inside it: both run in the browser and use nothing from outside themselves. */

/** Edges and colours of a page's parts. Heights and what stands below are the data's business. */
export function edges(): string[] {
  const parts = [
    'header', 'nav', 'main', 'main h1', '.dock', 'form', '.mantine-Card-root, .mantine-Paper-root:not(.dock)', '.table-wrap, .machines', '[role="tablist"]', '.drop', '.chart',
    '.mantine-Button-root[data-variant="filled"], .mantine-Button-root:not([data-variant])', '.mantine-Accordion-item',
  ]
  const round = (n: number) => Math.round(n / 4) * 4
  const lines = parts.map((selector) => {
    const found = new Set<string>()
    for (const element of document.querySelectorAll<HTMLElement>(selector)) {
      const box = element.getBoundingClientRect()
      const style = getComputedStyle(element)
      if (box.width === 0 || style.visibility === 'hidden') continue
      // A heading or button is as wide as its text is in the font that is there.
      const fits = /^(main h1|\.mantine-Button)/.test(selector)
      const x = fits ? '' : `${round(box.left)}..${round(box.right)} `
      found.add(`${x}${style.color} on ${style.backgroundColor}, ${style.borderTopWidth} ${style.borderTopColor}`)
    }
    return [...found].sort().map((seen) => `${selector.split(',')[0]}: ${seen}`)
  })
  return lines.flat()
}

/** What nobody should see: a page wider than its window, text over text, text cut off, words broken into letters. */
export function flaws(): string[] {
  const found: string[] = []
  const root = document.documentElement
  if (root.scrollWidth > root.clientWidth) found.push(`the page is ${root.scrollWidth - root.clientWidth} pixels too wide`)

  interface Box {
    left: number
    right: number
    top: number
    bottom: number
  }
  interface Piece {
    text: string
    node: Node
    box: Box
  }
  const pieces: Piece[] = []
  const walker = document.createTreeWalker(document.querySelector('main') ?? document.body, NodeFilter.SHOW_TEXT)
  const range = document.createRange()
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement
    const text = node.textContent?.trim() ?? ''
    if (!element || text === '' || element.closest('.visually-hidden, .dock, [aria-hidden="true"], noscript')) continue
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue
    range.selectNodeContents(node)
    for (const whole of range.getClientRects()) {
      const box = shown(element, whole)
      if (box.right - box.left > 1 && box.bottom - box.top > 1) pieces.push({ text, node, box })
    }
    if (element.closest('td, th')) words(node as Text)
  }

  /** A short word has room in any column. */
  function words(node: Text) {
    for (const match of (node.textContent ?? '').matchAll(/[A-Za-z0-9_]{2,18}/g)) {
      range.setStart(node, match.index)
      range.setEnd(node, match.index + match[0].length)
      const tops = new Set([...range.getClientRects()].map((r) => Math.round(r.top)))
      if (tops.size > 1) found.push(`“${match[0]}” is broken`)
    }
  }

  for (const [i, a] of pieces.entries()) {
    for (const b of pieces.slice(i + 1)) {
      if (a.node === b.node) continue
      const wide = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left)
      const high = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top)
      if (wide > 3 && high > 4) found.push(`“${a.text}” and “${b.text}” lie upon each other`)
    }
  }

  /** What of a piece one sees: the window and the frames around it cut off the rest. */
  function shown(element: HTMLElement, whole: DOMRect): Box {
    const box = { left: Math.max(whole.left, 0), right: Math.min(whole.right, innerWidth), top: Math.max(whole.top, 0), bottom: Math.min(whole.bottom, innerHeight) }
    for (let frame: HTMLElement | null = element; frame; frame = frame.parentElement) {
      const style = getComputedStyle(frame)
      if (style.overflowX === 'visible' || style.display === 'inline') continue
      const edge = frame.getBoundingClientRect()
      box.left = Math.max(box.left, edge.left)
      box.right = Math.min(box.right, edge.right)
      box.top = Math.max(box.top, edge.top)
      box.bottom = Math.min(box.bottom, edge.bottom)
    }
    return box
  }

  for (const element of document.querySelectorAll<HTMLElement>('main *')) {
    const style = getComputedStyle(element)
    // A badge is a word or two, of which none is left out.
    const may = style.textOverflow === 'ellipsis' && !element.matches('td .mantine-Badge-label')
    const cut = style.overflowX === 'hidden' && !may && element.scrollWidth > element.clientWidth + 2
    const says = [...element.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.textContent?.trim())
    if (cut && says && element.clientWidth > 1 && !element.closest('.clip, .chart, .visually-hidden')) found.push(`“${element.innerText.slice(0, 40)}” is cut off`)
  }
  return [...new Set(found)].slice(0, 10)
}
