import canonicalize from 'canonicalize'
import { ModelNetError } from '../utils/errors.ts'
import { MAX_NESTING } from './limits.ts'

/**
 * A document in the JSON Canonicalization Scheme (RFC 8785), refusing empty values: implementations in the field drop
 * empty texts, lists, objects and nulls before they sign, so a document that has any would verify with some and fail
 * with others. Throws INVALID_REQUEST naming the place.
 */
export function toCanonicalJson(document: unknown): string {
  let text: string | undefined
  try {
    text = canonicalize(document)
  } catch (cause) {
    throw new ModelNetError('INVALID_REQUEST', 'this document has no canonical JSON form', { cause })
  }
  if (text === undefined) throw new ModelNetError('INVALID_REQUEST', 'this document has no canonical JSON form')
  refuseEmptyValues(JSON.parse(text), 'INVALID_REQUEST')
  return text
}

/**
 * The document in bytes that must already be canonical JSON without empty values. Throws INVALID_SIGNATURE: a signature
 * over another form of the same document would be worth nothing to those who compare digests.
 */
export function readCanonicalJson(bytes: Uint8Array): unknown {
  try {
    const text = utf8.decode(bytes)
    const document: unknown = JSON.parse(text)
    refuseEmptyValues(document, 'INVALID_SIGNATURE')
    if (canonicalize(document) === text) return document
  } catch (cause) {
    if (cause instanceof ModelNetError) throw cause
    throw new ModelNetError('INVALID_SIGNATURE', 'the signed document is not JSON in UTF-8', { cause })
  }
  throw new ModelNetError('INVALID_SIGNATURE', 'the signed document is not in its canonical form (RFC 8785)')
}

/** `sha256:<hex>` of the bytes: the address of a document by its content. */
export async function digestOf(bytes: Uint8Array<ArrayBuffer> | string): Promise<string> {
  const data = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', data))
  return `sha256:${Array.from(hash, byte => byte.toString(16).padStart(2, '0')).join('')}`
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function refuseEmptyValues(value: unknown, code: 'INVALID_REQUEST' | 'INVALID_SIGNATURE', path = '$', depth = 0): void {
  const refuse = (what: string): ModelNetError => new ModelNetError(code, `a signed document has ${what} at ${path}`)
  if (value === null) throw refuse('null')
  if (value === '') throw refuse('an empty text')
  if (typeof value !== 'object') return
  if (depth >= MAX_NESTING) throw refuse(`more than ${MAX_NESTING} levels`)
  const entries = Object.entries(value)
  if (entries.length === 0) throw refuse(Array.isArray(value) ? 'an empty list' : 'an empty object')
  for (const [key, part] of entries)
    refuseEmptyValues(part, code, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`, depth + 1)
}
