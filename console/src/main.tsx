/** Starts the console. */
import '@mantine/core/styles.layer.css'
import '@mantine/notifications/styles.layer.css'
import './styles.css'

import { DirectionProvider, MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { type ReactNode, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

import { Failure } from './api/client'
import { useLanguage } from './i18n'
import { router } from './router'
import { applyContrast } from './shell/preferences'
import { theme, variables } from './theme'

// The host writes a new nonce into every page: only styles that carry it count.
const nonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? ''

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: false,
      // What the host refused it refuses again.
      retry: (count, error) => !(error instanceof Failure && error.status < 500) && count < 2,
    },
  },
})

function Themed({ children }: { children: ReactNode }) {
  useLanguage()
  return (
    <MantineProvider theme={theme()} cssVariablesResolver={variables} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      {children}
    </MantineProvider>
  )
}

applyContrast()
const place = document.getElementById('root')
if (place) {
  createRoot(place).render(
    <StrictMode>
      <DirectionProvider>
        <Themed>
          <Notifications position="top-right" />
          <QueryClientProvider client={queries}>
            <RouterProvider router={router} />
          </QueryClientProvider>
        </Themed>
      </DirectionProvider>
    </StrictMode>,
  )
}
