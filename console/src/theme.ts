/** Colours and sizes. Dimmed text and filled buttons are dark enough to read (WCAG AA) in both schemes. */
import { createTheme, type CSSVariablesResolver } from '@mantine/core'

export const theme = createTheme({
  primaryColor: 'blue',
  primaryShade: { light: 8, dark: 8 },
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SFMono-Regular", Menlo, "DejaVu Sans Mono", monospace',
  cursorType: 'pointer',
  autoContrast: true,
})

export const variables: CSSVariablesResolver = (of) => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': of.colors.gray[7],
    '--mantine-color-placeholder': of.colors.gray[7],
    ...light(of.colors, 9),
  },
  dark: {
    '--mantine-color-dimmed': of.colors.dark[1],
    '--mantine-color-placeholder': of.colors.dark[1],
    ...light(of.colors, 2),
  },
})

function light(colors: Record<string, readonly string[]>, shade: number): Record<string, string> {
  const used = ['green', 'blue', 'orange', 'red', 'gray', 'cyan']
  return Object.fromEntries(used.map((c) => [`--mantine-color-${c}-light-color`, colors[c]?.[shade] ?? '']))
}
