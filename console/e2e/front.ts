/** Serves `embed/dist` in front of a host, as the host would serve what is built into it: a changed console without a changed host. */
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { request as secureRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'

const TYPES: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml', '.json': 'application/json',
}

/** Its address. `folder` holds what `npm run build` wrote. */
export async function front(host: string, folder: string): Promise<{ url: string; close: () => void }> {
  const page = readFileSync(join(folder, 'index.html'), 'utf8')
  const server = createServer((asked, answer) => {
    const path = new URL(asked.url ?? '/', host).pathname
    const file = join(folder, path)
    if (path !== '/' && !path.startsWith('/api/') && TYPES[extname(path)] && existsSync(file)) asset(file, asked, answer)
    else if (!path.startsWith('/api/') && asked.headers.accept?.includes('text/html')) document(page, asked, answer)
    else through(host, asked, answer)
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const { port } = server.address() as AddressInfo
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://localhost:${port}`, close }
}

function asset(file: string, asked: IncomingMessage, answer: ServerResponse): void {
  const brotli = existsSync(`${file}.br`) && (asked.headers['accept-encoding'] ?? '').includes('br')
  answer.writeHead(200, {
    'content-type': TYPES[extname(file)],
    'cache-control': file.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'public, max-age=3600',
    ...(brotli ? { 'content-encoding': 'br' } : {}),
  })
  answer.end(readFileSync(brotli ? `${file}.br` : file))
}

/** The page under the same policy as the host's. */
function document(page: string, asked: IncomingMessage, answer: ServerResponse): void {
  const nonce = randomBytes(16).toString('base64')
  const map = /<script type="importmap">(.*?)<\/script>/s.exec(page)?.[1] ?? ''
  const allowed = createHash('sha256').update(map).digest('base64')
  answer.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    ...(asked.headers.cookie?.includes('__Host-session') ? { link: '</api/v1/me>; rel=preload; as=fetch; crossorigin' } : {}),
    'content-security-policy':
      `default-src 'none'; script-src 'self' 'sha256-${allowed}'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; ` +
      `font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
  })
  answer.end(page.replaceAll('__STYLE_NONCE__', nonce))
}

function through(host: string, asked: IncomingMessage, answer: ServerResponse): void {
  const ask = host.startsWith('https:') ? secureRequest : request
  const options = { method: asked.method, headers: asked.headers, rejectUnauthorized: false }
  const passed = ask(host + asked.url, options, (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers)
    response.pipe(answer)
  })
  passed.on('error', () => {
    if (answer.headersSent) answer.destroy()
    else answer.writeHead(502).end()
  })
  answer.on('close', () => passed.destroy())
  asked.pipe(passed)
}
