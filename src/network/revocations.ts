import { z } from 'zod'
import {
  DOCUMENT_TYPES,
  MAX_OPERATORS,
  MAX_REVOCATIONS_BYTES,
  type MembershipCertificate,
  type RevocationList,
  RevocationListSchema,
  type Signer,
  signDocument,
  verifyDocument,
} from '../protocol/index.ts'
import { ModelNetError } from '../utils/errors.ts'
import { createKeptFile, type KeptFile } from '../utils/kept-file.ts'
import type { Logger } from '../utils/logger.ts'

/** The newest list of each operator, signed. */
export const RevocationListsSchema: z.ZodType<readonly string[]> = z
  .array(z.string().min(1).max(MAX_REVOCATIONS_BYTES))
  .max(MAX_OPERATORS)

/** What the operators of a network have taken back, as far as this node has heard. */
export interface Revocations {
  /** Takes a list in; true when it says more than was known. Rejects with FORBIDDEN when no operator we trust signed it. */
  take(jws: string): Promise<boolean>
  includes(certificate: MembershipCertificate): boolean
  /** The newest list of each operator, signed. */
  lists(): readonly string[]
}

/** What was heard, over restarts: else a node that was taken back could be the first to greet a node that starts anew. */
export function createRevocationsFile(logger: Logger, path: string): KeptFile<readonly string[]> {
  return createKeptFile(logger, {
    path,
    what: 'the list of revocations',
    schema: RevocationListsSchema,
    maxBytes: 2 * MAX_OPERATORS * MAX_REVOCATIONS_BYTES,
  })
}

/** Adds a node to an operator's list, or begins one: certificates issued for it up to now count no more. */
export async function revoke(
  operator: Signer,
  nowS: number,
  node: string,
  before?: RevocationList,
): Promise<{ readonly list: RevocationList; readonly jws: string }> {
  const others = (before?.revoked ?? []).filter(each => each.node !== node)
  const list: RevocationList = {
    version: 1,
    operator: operator.nodeId,
    seq: (before?.seq ?? 0) + 1,
    revoked: [...others, { node, until: Math.floor(nowS) }],
  }
  const checked = RevocationListSchema.safeParse(list)
  if (!checked.success) {
    const [issue] = checked.error.issues
    throw new ModelNetError('INVALID_REQUEST', `${issue?.path.join('.')}: ${issue?.message}`)
  }
  return { list, jws: (await signDocument(list, DOCUMENT_TYPES.revocations, operator)).jws }
}

/** Reads a list that an operator has signed. Rejects with FORBIDDEN, INVALID_SIGNATURE or PROTOCOL_ERROR. */
export async function readRevocations(jws: string, operators: readonly string[]): Promise<RevocationList> {
  const { document, signer } = await verifyDocument(
    jws,
    DOCUMENT_TYPES.revocations,
    RevocationListSchema,
    MAX_REVOCATIONS_BYTES,
  )
  if (document.operator === signer && operators.includes(signer)) return document
  throw new ModelNetError('FORBIDDEN', `a list of revocations is not signed by an operator we trust: ${signer}`)
}

/** One list is kept for each trusted operator, so what is kept is bounded. */
export function createRevocations(operators: readonly string[]): Revocations {
  const known = new Map<
    string,
    { readonly seq: number; readonly jws: string; readonly until: ReadonlyMap<string, number> }
  >()
  return {
    async take(jws) {
      if ([...known.values()].some(each => each.jws === jws)) return false
      const { operator, seq, revoked } = await readRevocations(jws, operators)
      if ((known.get(operator)?.seq ?? 0) >= seq) return false
      known.set(operator, { seq, jws, until: new Map(revoked.map(({ node, until }) => [node, until])) })
      return true
    },
    includes: ({ operator, node, issuedAt }) => issuedAt <= (known.get(operator)?.until.get(node) ?? 0),
    lists: () => [...known.values()].map(({ jws }) => jws),
  }
}
