/** What the licence page reads. The document leaves the body open, so its shape is said here. */
import { call } from '../../api/client'

export interface LicenseView {
  at: string
  instance: string
  limits: { hosts: number | null; child_hosts: number | null }
  licenses: {
    id: string
    organisation: string
    customer: string
    tier: string
    trial: boolean
    engines: string[]
    expires_at: string | null
    grace_until: string | null
    support_until: string | null
    revoked: string | null
  }[]
  engines: {
    engine: string
    version: string
    code: string
    sentence: string
    unlocks: string | null
    decision: { state: string; until?: string }
    next_change: { at: string; state: string; code: string } | null
  }[]
}

export const licenseQuery = {
  queryKey: ['license'],
  queryFn: () => call<LicenseView>('GET', '/api/v1/license'),
}
