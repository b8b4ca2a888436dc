/** Colours and sizes. Dimmed text and filled buttons are dark enough to read (WCAG AA) in both schemes. */
import { createTheme, type CSSVariablesResolver } from '@mantine/core'

import { t } from './i18n'

/** In the reader's language: buttons that only show a sign have a name. */
export const theme = () => createTheme({
  primaryColor: 'blue',
  primaryShade: { light: 8, dark: 8 },
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SFMono-Regular", Menlo, "DejaVu Sans Mono", monospace',
  cursorType: 'pointer',
  respectReducedMotion: true,
  autoContrast: true,
  // Where black and white are equally far from a colour: the text on it is the farther one.
  luminanceThreshold: 0.179,
  components: {
    CloseButton: { defaultProps: { 'aria-label': t('app.close') } },
    // The head of a dialog is not the head of the page.
    Modal: { defaultProps: { attributes: { header: { role: 'none' } } } },
    Drawer: { defaultProps: { attributes: { header: { role: 'none' } } } },
  },
})

export const variables: CSSVariablesResolver = (of) => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': of.colors.gray[7],
    '--mantine-color-placeholder': of.colors.gray[7],
    ...inks((color) => INK[color]),
  },
  dark: {
    '--mantine-color-dimmed': of.colors.dark[1],
    '--mantine-color-placeholder': of.colors.dark[1],
    ...inks((color) => of.colors[color][2] ?? INK[color]),
  },
})

/** Text on the pale form of a colour in the light scheme: at least 4.5 to 1. */
const INK = { green: '#1b5e2a', blue: '#0b4a87', orange: '#8a2c06', yellow: '#664200', red: '#a51111', gray: '#343a40', cyan: '#0b5563' }

function inks(of: (color: keyof typeof INK) => string): Record<string, string> {
  const colors = Object.keys(INK) as (keyof typeof INK)[]
  return Object.fromEntries(colors.map((color) => [`--mantine-color-${color}-light-color`, of(color)]))
}
