/** The host's API, typed by its own OpenAPI document. A failure is a [`Failure`] with the host's problem in it. */
import createClient, { type Middleware } from 'openapi-fetch'

import type { components, paths } from './schema'

export type Schema = components['schemas']

/** A problem as RFC 9457 has it, with what the host adds for its code. */
export interface Problem {
  title?: string
  detail?: string
  code?: string
  status?: number
  request_id?: string
  [more: string]: unknown
}

/** What the host refused, or that it did not answer. */
export class Failure extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(problem.detail ?? problem.title ?? `The host answered ${status}.`)
  }

  get code(): string {
    return this.problem.code ?? ''
  }
}

/** Called when the session has ended: the shell shows the sign-in page. */
let onSignedOut: () => void = () => {}

export function whenSignedOut(then: () => void): void {
  onSignedOut = then
}

async function failure(response: Response): Promise<Failure> {
  let problem: Problem = {}
  try {
    problem = (await response.clone().json()) as Problem
  } catch {
    problem = { title: response.statusText }
  }
  return new Failure(response.status, problem)
}

const refusals: Middleware = {
  async onResponse({ response, request }) {
    if (response.ok) return
    const failed = await failure(response)
    if (response.status === 401 && !new URL(request.url).pathname.startsWith('/api/v1/session')) onSignedOut()
    throw failed
  },
}

export const client = createClient<paths>({ baseUrl: '/' })
client.use(refusals)

/** The data of an answer that is not an error: errors were thrown already. */
export async function data<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T
}

/** A call to a route that the document does not type, such as an engine's or an upload. */
export async function call<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
  const raw = body instanceof Blob || typeof body === 'string'
  const response = await fetch(path, {
    method,
    headers: body === undefined || raw ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? undefined : raw ? (body as BodyInit) : JSON.stringify(body),
  })
  if (!response.ok) {
    if (response.status === 401) onSignedOut()
    throw await failure(response)
  }
  const text = await response.text()
  return (text === '' ? undefined : JSON.parse(text)) as T
}

/** The same request for a terminal; the token is for the reader to fill in. */
export function asCurl(method: string, path: string): string {
  const verb = method === 'GET' ? '' : `-X ${method} `
  return `curl ${verb}-H "Authorization: Bearer $TOKEN" '${location.origin}${path.replaceAll("'", '%27')}'`
}
