import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** True for a request with `Authorization: Bearer KEY` or `x-api-key: KEY`, compared in constant time; with no keys, for all. */
export function createKeyCheck(keys: readonly string[]): (headers: IncomingHttpHeaders) => boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  const accepted = keys.map(digest)
  return headers => {
    if (accepted.length === 0) return true
    const header = headers['x-api-key'] ?? headers.authorization?.replace(/^Bearer /, '')
    const given = digest(typeof header === 'string' ? header : '')
    return accepted.some(key => timingSafeEqual(key, given))
  }
}
