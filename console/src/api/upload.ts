/** Files to the host. */
import { t } from '../i18n'
import { Failure, type Problem } from './client'

/** Send a file with its progress, which `fetch` does not tell. */
export function send<T>(path: string, file: File, progress: (percent: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', path)
    request.timeout = 300_000
    request.responseType = 'json'
    request.setRequestHeader('content-type', 'application/octet-stream')
    request.upload.onprogress = (e) => progress(e.lengthComputable ? (e.loaded / e.total) * 100 : 0)
    request.onload = () => {
      if (request.status < 300) resolve(request.response as T)
      else reject(new Failure(request.status, (request.response ?? {}) as Problem))
    }
    request.onerror = () => reject(new Failure(0, { title: t('app.lost') }))
    request.ontimeout = request.onerror
    request.send(file)
  })
}
