/** A time chart on canvas. What it shows is also said in words, for those who do not see it. */
import 'uplot/dist/uPlot.min.css'

import { useComputedColorScheme } from '@mantine/core'
import { useEffect, useRef } from 'react'
import uPlot from 'uplot'

import { tick } from '../i18n'

export interface Line {
  label: string
  color: string
  values: (number | null)[]
}

interface Props {
  /** Seconds since 1970, ascending. */
  times: number[]
  lines: Line[]
  unit: string
  /** Fixed top of the scale, such as 100 for a percentage. */
  max?: number
  summary: string
  /** How a figure on the scale is written; the number and the unit when absent. */
  format?: (value: number) => string
}

export function Chart({ times, lines, unit, max, summary, format }: Props) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const scheme = useComputedColorScheme('light')
  const names = lines.map((l) => `${l.label}${l.color}`).join()
  useEffect(() => {
    const parent = place.current
    if (!parent) return
    const ink = scheme === 'dark' ? '#c9c9c9' : '#495057'
    const grid = { stroke: scheme === 'dark' ? '#3b3b3b' : '#e9ecef', width: 1 }
    const made = new uPlot(
      {
        width: parent.clientWidth,
        height: 180,
        legend: { show: lines.length > 1, live: false },
        cursor: { drag: { x: false, y: false } },
        scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), max ?? Math.max(high ?? 1, 0.1) * 1.1] } },
        axes: [
          { stroke: ink, grid, space: 90, values: (_, splits) => splits.map((v) => tick(new Date(v * 1000), (splits.at(-1) ?? 0) - (splits[0] ?? 0))) },
          { stroke: ink, grid, size: format ? 84 : 56, values: (_, splits) => splits.map((v) => (format ? format(v) : `${v}${unit}`)) },
        ],
        series: [{}, ...lines.map((l) => ({ label: l.label, stroke: l.color, width: 2, spanGaps: false, points: { show: false } }))],
      },
      [times, ...lines.map((l) => l.values)] as uPlot.AlignedData,
      parent,
    )
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: parent.clientWidth, height: 180 }))
    observer.observe(parent)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = undefined
    }
    // Data follow below; the frame is drawn anew for other lines or colours only.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [names, unit, max, scheme])
  useEffect(() => {
    plot.current?.setData([times, ...lines.map((l) => l.values)] as uPlot.AlignedData)
  }, [times, lines])
  return <div ref={place} className="chart" role="img" aria-label={summary} />
}
