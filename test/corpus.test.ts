import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { createIdentity } from '../src/network/index.ts'
import {
  CapabilityAdSchema,
  DecodeStepSchema,
  DOCUMENT_TYPES,
  type DocumentType,
  decodeDecodeResult,
  decodeDistribution,
  decodeFrame,
  encodeDecodeResult,
  encodeDistribution,
  encodeFrame,
  MAX_CARD_BYTES,
  MemberRecordSchema,
  MembershipCertificateSchema,
  ModelCardSchema,
  NodeStatusSchema,
  ProbeReportSchema,
  ReceiptSchema,
  readChannelFrame,
  signDocument,
  toCanonicalJson,
  verifyDocument,
  verifyReceipt,
} from '../src/protocol/index.ts'

interface Corpus {
  readonly kind: string
  readonly examples: readonly {
    readonly about: string
    readonly value?: unknown
    readonly cbor?: string
    readonly document?: unknown
    readonly canonical?: string
    readonly digest?: string
    readonly signers?: readonly { readonly seed: string; readonly node: string; readonly jws: string }[]
  }[]
}

const folder = new URL('./corpus/v1/', import.meta.url)
const files = readdirSync(folder).filter(name => name.endsWith('.json'))
const corpora = files.map(name => [name, JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Corpus] as const)

/** How a reader of this version takes each kind of value, and writes it again. */
const readers: Readonly<Record<string, (value: unknown) => unknown>> = {
  'channel-frame': readChannelFrame,
  distribution: value => encodeDistribution(decodeDistribution(value)),
  'decode-step': value => DecodeStepSchema.parse(value),
  'decode-result': value => encodeDecodeResult(decodeDecodeResult(value)),
  'node-status': value => NodeStatusSchema.parse(value),
}
const documents: Readonly<Record<string, readonly [DocumentType, z.ZodType<object>]>> = {
  'model-card': [DOCUMENT_TYPES.card, ModelCardSchema],
  'member-record': [DOCUMENT_TYPES.member, MemberRecordSchema],
  receipt: [DOCUMENT_TYPES.receipt, ReceiptSchema],
  'probe-report': [DOCUMENT_TYPES.probe, ProbeReportSchema],
  'capability-ad': [DOCUMENT_TYPES.ad, CapabilityAdSchema],
  'membership-certificate': [DOCUMENT_TYPES.certificate, MembershipCertificateSchema],
}

/** Byte strings and infinities, which JSON has no word for. */
function toValue(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(toValue)
  if (typeof json !== 'object' || json === null) return json
  if ('$bytes' in json) return Uint8Array.from(Buffer.from(String(json.$bytes), 'hex'))
  if ('$float' in json) return Number(json.$float)
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, toValue(value)]))
}

it('covers every frame type and every signed document', () => {
  const names = files.map(name => name.replace('.json', ''))
  const frames = ['call-start', 'call-part', 'call-end', 'call-error', 'call-cancel', 'call-credit']
  expect(names).toEqual(expect.arrayContaining([...frames, ...Object.keys(documents), 'distribution', 'refused']))
})

describe.each(corpora)('%s', (_file, { kind, examples }) => {
  it.each(examples.map(example => [example.about, example] as const))('%s', async (_about, example) => {
    const { cbor, value, document, canonical, digest, signers } = example
    if (kind === 'refused') {
      expect(() => decodeFrame(Buffer.from(cbor ?? '', 'hex'))).toThrow()
      return
    }
    const reader = readers[kind]
    if (reader) {
      const expected = toValue(value)
      expect(Buffer.from(encodeFrame(expected)).toString('hex')).toBe(cbor)
      const read = decodeFrame(Buffer.from(cbor ?? '', 'hex'))
      expect(read).toStrictEqual(expected)
      expect(reader(read)).toStrictEqual(expected)
      return
    }
    const [type, schema] = documents[kind] ?? []
    if (!type || !schema || !signers) throw new Error(`no reader of ${kind}`)
    expect(toCanonicalJson(document)).toBe(canonical)
    for (const { seed, node, jws } of signers) {
      const identity = createIdentity(Buffer.from(seed, 'hex'))
      expect(identity.nodeId).toBe(node)
      expect(await signDocument(document, type, identity)).toEqual({ jws, digest })
      expect(await verifyDocument(jws, type, schema, MAX_CARD_BYTES)).toEqual({ document, digest, signer: node })
    }
    const [client, server] = signers
    if (kind === 'receipt') await verifyReceipt({ client: client?.jws ?? '', server: server?.jws ?? '' })
  })
})
