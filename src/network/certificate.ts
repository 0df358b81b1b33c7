import {
  DOCUMENT_TYPES,
  MAX_CERTIFICATE_BYTES,
  MAX_CLOCK_SKEW_S,
  type MembershipCertificate,
  MembershipCertificateSchema,
  type Signer,
  signDocument,
  verifyDocument,
} from '../protocol/index.ts'
import type { Clock } from '../utils/clock.ts'
import { ModelNetError } from '../utils/errors.ts'

/** An operator signs a node in. `lifeS` is seconds. Throws INVALID_REQUEST when node or domain are malformed. */
export async function issueCertificate(
  operator: Signer,
  clock: Clock,
  admitted: { readonly node: string; readonly domain: string; readonly lifeS: number },
): Promise<string> {
  const { node, domain, lifeS } = admitted
  const issuedAt = Math.floor(clock.now() / 1000)
  const certificate: MembershipCertificate = {
    version: 1,
    node,
    operator: operator.nodeId,
    domain,
    issuedAt,
    expiresAt: issuedAt + lifeS,
  }
  const checked = MembershipCertificateSchema.safeParse(certificate)
  if (!checked.success) {
    const [issue] = checked.error.issues
    throw new ModelNetError('INVALID_REQUEST', `${issue?.path.join('.')}: ${issue?.message}`)
  }
  return (await signDocument(certificate, DOCUMENT_TYPES.certificate, operator)).jws
}

/**
 * Checks that an operator we trust has signed this node in, now. Rejects with FORBIDDEN when the certificate is of
 * another node, another operator or another time, with INVALID_SIGNATURE or PROTOCOL_ERROR when it is none.
 */
export async function verifyCertificate(
  jws: string,
  expected: { readonly node: string; readonly operators: readonly string[]; readonly clock: Clock },
): Promise<MembershipCertificate> {
  const { node, operators, clock } = expected
  const { document, signer } = await verifyDocument(
    jws,
    DOCUMENT_TYPES.certificate,
    MembershipCertificateSchema,
    MAX_CERTIFICATE_BYTES,
  )
  const refuse = (what: string): ModelNetError => new ModelNetError('FORBIDDEN', `the certificate of ${node} ${what}`)
  const nowS = clock.now() / 1000
  if (document.node !== node) throw refuse(`is that of ${document.node}`)
  if (document.operator !== signer || !operators.includes(signer)) throw refuse('is not signed by an operator we trust')
  if (document.issuedAt > nowS + MAX_CLOCK_SKEW_S || document.expiresAt <= nowS) throw refuse('is not valid now')
  return document
}
