import { z } from 'zod'
import { ModelNetError } from '../utils/errors.ts'
import { ModelIdSchema } from './card.ts'
import { MAX_RECEIPT_BYTES } from './limits.ts'
import { DigestSchema, NodeIdSchema } from './member.ts'
import { DOCUMENT_TYPES, type VerifiedDocument, verifyDocument } from './signature.ts'

/** What one call used, as both sides saw it. Says nothing of what was asked or answered beyond their digests. */
export interface Receipt {
  readonly version: 1
  /** Node that asked, and node that answered. */
  readonly client: string
  readonly server: string
  readonly model: string
  /** Digest of the card the model was offered under. */
  readonly card: string
  /** Digests of request and answer in canonical JSON. */
  readonly request: string
  readonly response: string
  readonly promptTokens: number
  readonly completionTokens: number
  /** What is owed for the call; absent where nothing is charged. */
  readonly price?: { readonly currency: string; readonly amount: number }
  /** Chosen by the client, so that one call cannot be billed twice: 32 hexadecimal digits. */
  readonly nonce: string
  /** Seconds since the epoch when the call ended. */
  readonly time: number
}

/** The same receipt signed by both sides: two JWS over the same bytes. */
export interface SignedReceipt {
  readonly client: string
  readonly server: string
}

export const ReceiptSchema: z.ZodType<Receipt> = z.looseObject({
  version: z.literal(1),
  client: NodeIdSchema,
  server: NodeIdSchema,
  model: ModelIdSchema,
  card: DigestSchema,
  request: DigestSchema,
  response: DigestSchema,
  promptTokens: z.int().min(0),
  completionTokens: z.int().min(0),
  price: z.looseObject({ currency: z.string().min(1).max(8), amount: z.number().min(0) }).exactOptional(),
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  time: z.int().positive(),
}) as z.ZodType<Receipt> // loose: fields of newer versions are kept, as the signatures cover them

/** Checks both signatures, that they cover the same receipt, and that the parties it names are those who signed. */
export async function verifyReceipt(signed: SignedReceipt): Promise<VerifiedDocument<Receipt>> {
  const [client, server] = await Promise.all(
    [signed.client, signed.server].map(jws =>
      verifyDocument(jws, DOCUMENT_TYPES.receipt, ReceiptSchema, MAX_RECEIPT_BYTES),
    ),
  )
  if (client === undefined || server === undefined || client.digest !== server.digest)
    throw new ModelNetError('INVALID_SIGNATURE', 'the two sides signed different receipts')
  if (client.signer !== client.document.client || server.signer !== client.document.server)
    throw new ModelNetError('INVALID_SIGNATURE', 'a receipt is signed by the client and the server it names')
  return client
}
