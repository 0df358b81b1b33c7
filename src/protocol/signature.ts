import { base64url, compactVerify, decodeProtectedHeader } from 'jose'
import type { z } from 'zod'
import { ModelNetError } from '../utils/errors.ts'
import { digestOf, readCanonicalJson, toCanonicalJson } from './canonical.ts'
import { toPublicKey } from './node-id.ts'

/** Media types of signed documents, as the `typ` of their JWS. */
export const DOCUMENT_TYPES = {
  card: 'application/vnd.modelnet.model-card+json',
  member: 'application/vnd.modelnet.member+json',
  ad: 'application/vnd.modelnet.capability-ad+json',
  certificate: 'application/vnd.modelnet.membership-certificate+json',
  revocations: 'application/vnd.modelnet.revocation-list+json',
  receipt: 'application/vnd.modelnet.receipt+json',
  probe: 'application/vnd.modelnet.probe+json',
  attestation: 'application/vnd.modelnet.capability-attestation+json',
} as const
export type DocumentType = (typeof DOCUMENT_TYPES)[keyof typeof DOCUMENT_TYPES]

/** Who signs: the identity of a node. The private key stays where it is. */
export interface Signer {
  readonly nodeId: string
  /** The Ed25519 signature of the bytes, 64 bytes. */
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>
}

export interface SignedDocument {
  /** Compact JWS (RFC 7515). */
  readonly jws: string
  /** `sha256:<hex>` of the canonical document, which is the payload. */
  readonly digest: string
}

export interface VerifiedDocument<T> {
  readonly document: T
  readonly digest: string
  /** Node id of the key that signed. */
  readonly signer: string
}

/** Signs the canonical form of a document. Throws INVALID_REQUEST for an empty value anywhere in it. */
export async function signDocument(document: unknown, type: DocumentType, signer: Signer): Promise<SignedDocument> {
  const payload = toCanonicalJson(document)
  const header = toCanonicalJson({ alg: 'EdDSA', kid: signer.nodeId, typ: type })
  const signed = `${base64url.encode(header)}.${base64url.encode(payload)}`
  const signature = await signer.sign(new TextEncoder().encode(signed))
  return { jws: `${signed}.${base64url.encode(signature)}`, digest: await digestOf(payload) }
}

/**
 * Checks size, header, signature, canonical form and schema, in this order, and gives the document. The key is read
 * from `kid`, the node id. Throws PAYLOAD_TOO_LARGE, INVALID_SIGNATURE, or PROTOCOL_ERROR where the schema says no.
 */
export async function verifyDocument<T>(
  jws: string,
  type: DocumentType,
  schema: z.ZodType<T>,
  maxBytes: number,
): Promise<VerifiedDocument<T>> {
  if (jws.length > maxBytes)
    throw new ModelNetError(
      'PAYLOAD_TOO_LARGE',
      `signed document has ${jws.length} bytes, at most ${maxBytes} are read`,
    )
  const signer = readHeader(jws, type)
  const key = { kty: 'OKP', crv: 'Ed25519', x: base64url.encode(toPublicKey(signer)) }
  const payload = await compactVerify(jws, key, { algorithms: ['EdDSA'] }).then(
    result => Uint8Array.from(result.payload),
    cause => {
      throw new ModelNetError('INVALID_SIGNATURE', `the signature of ${signer} does not verify`, { cause })
    },
  )
  const parsed = schema.safeParse(readCanonicalJson(payload))
  if (!parsed.success)
    throw new ModelNetError(
      'PROTOCOL_ERROR',
      `document signed by ${signer} is not a ${type}: ${firstIssue(parsed.error)}`,
    )
  return { document: parsed.data, digest: await digestOf(payload), signer }
}

/** The signer's node id, of a header that says exactly what ours says. */
function readHeader(jws: string, type: DocumentType): string {
  try {
    const { alg, kid, typ, ...others } = decodeProtectedHeader(jws)
    if (alg === 'EdDSA' && typ === type && typeof kid === 'string' && Object.keys(others).length === 0) return kid
  } catch (cause) {
    throw new ModelNetError('INVALID_SIGNATURE', 'expected a compact JWS', { cause })
  }
  throw new ModelNetError(
    'INVALID_SIGNATURE',
    `expected a JWS header of alg EdDSA, typ ${type} and a kid, nothing else`,
  )
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues
  return issue ? `${issue.path.join('.') || 'document'}: ${issue.message}` : 'unknown'
}
