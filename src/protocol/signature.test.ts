import { base64url, compactVerify, importJWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createIdentity, type Identity } from '../network/identity.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import { ModelNetError } from '../utils/errors.ts'
import { digestOf, toCanonicalJson } from './canonical.ts'
import type { ModelCard } from './card.ts'
import { MAX_CARD_BYTES, MAX_CARD_LIFE_S } from './limits.ts'
import type { MemberRecord } from './member.ts'
import { toNodeId, toPublicKey } from './node-id.ts'
import { ProbeReportSchema } from './probe.ts'
import { type Receipt, verifyReceipt } from './receipt.ts'
import { DOCUMENT_TYPES, signDocument, verifyDocument } from './signature.ts'
import { createVerifier } from './verifier.ts'

const seedOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const alice = createIdentity(seedOf(1))
const bob = createIdentity(seedOf(2))
const clock = createManualClock()
const nowS = clock.now() / 1000

const cardOf = (identity: Identity, changes: Partial<ModelCard> = {}): ModelCard => ({
  version: 1,
  id: 'modelnet/arithmetic',
  node: identity.nodeId,
  description: 'Answers sums.',
  tags: ['skill:arithmetic', 'lang:zh'],
  capabilities: ['generate', 'bytes'],
  contextLength: 256,
  engine: 'llama.cpp',
  issuedAt: nowS,
  expiresAt: nowS + 3600,
  ...changes,
})

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    error => (error instanceof ModelNetError ? error.code : String(error)),
  )
const anything = z.looseObject({})
const verify = (jws: string): Promise<unknown> => verifyDocument(jws, DOCUMENT_TYPES.card, anything, MAX_CARD_BYTES)

/** A compact JWS of any header and payload, signed by the identity. */
function forge(header: object, payload: string, identity: Identity): string {
  const signed = `${base64url.encode(JSON.stringify(header))}.${base64url.encode(payload)}`
  return `${signed}.${base64url.encode(identity.sign(new TextEncoder().encode(signed)))}`
}
const header = { alg: 'EdDSA', kid: alice.nodeId, typ: DOCUMENT_TYPES.card }

describe('a signed document', () => {
  it('verifies with the key in its signer’s name, and says who signed', async () => {
    const card = cardOf(alice)
    const { jws, digest } = await signDocument(card, DOCUMENT_TYPES.card, alice)
    expect(await verify(jws)).toEqual({ document: card, digest, signer: alice.nodeId })
    expect(digest).toBe(await digestOf(toCanonicalJson(card)))
  })

  it('verifies with another implementation of JWS', async () => {
    const { jws } = await signDocument(cardOf(alice), DOCUMENT_TYPES.card, alice)
    const key = await importJWK({ kty: 'OKP', crv: 'Ed25519', x: base64url.encode(toPublicKey(alice.nodeId)) }, 'EdDSA')
    expect((await compactVerify(jws, key)).protectedHeader).toEqual(header)
  })

  it('has the same bytes whatever the order of its fields', async () => {
    const card = cardOf(alice)
    const turned = Object.fromEntries(Object.entries(card).reverse())
    const [first, second] = await Promise.all(
      [card, turned].map(document => signDocument(document, DOCUMENT_TYPES.card, alice)),
    )
    expect(first).toEqual(second)
  })

  it('does not verify when any character of it is another', async () => {
    const { jws } = await signDocument({ a: 1 }, DOCUMENT_TYPES.card, alice)
    // All but the last, of which base64 ignores four bits.
    for (let index = 0; index < jws.length - 1; index++) {
      const changed = `${jws.slice(0, index)}${jws[index] === 'A' ? 'B' : 'A'}${jws.slice(index + 1)}`
      expect(await codeOf(verify(changed)), `at ${index}`).toBe('INVALID_SIGNATURE')
    }
  })

  it.each([
    ['another signer’s name', forge({ ...header, kid: bob.nodeId }, '{"a":1}', alice)],
    ['no name', forge({ alg: 'EdDSA', typ: header.typ }, '{"a":1}', alice)],
    ['a name that is no node id', forge({ ...header, kid: 'https://evil.example/key' }, '{"a":1}', alice)],
    ['another type', forge({ ...header, typ: DOCUMENT_TYPES.member }, '{"a":1}', alice)],
    ['alg none', forge({ ...header, alg: 'none' }, '{"a":1}', alice)],
    ['alg HS256', forge({ ...header, alg: 'HS256' }, '{"a":1}', alice)],
    ['a key of its own', forge({ ...header, jwk: { kty: 'OKP' } }, '{"a":1}', alice)],
    ['critical extensions', forge({ ...header, crit: ['b64'], b64: false }, '{"a":1}', alice)],
    ['keys in another order', forge(header, '{"b":1,"a":2}', alice)],
    ['spaces', forge(header, '{"a": 1}', alice)],
    ['a number in another form', forge(header, '{"a":1.0}', alice)],
    ['a key twice', forge(header, '{"a":1,"a":1}', alice)],
    ['an empty text', forge(header, '{"a":""}', alice)],
    ['an empty list', forge(header, '{"a":[]}', alice)],
    ['an empty object', forge(header, '{}', alice)],
    ['null', forge(header, '{"a":null}', alice)],
    ['a payload that is not JSON', forge(header, 'hello', alice)],
    ['a byte order mark', forge(header, '\uFEFF{"a":1}', alice)],
    ['very deep nesting', forge(header, `${'['.repeat(3000)}1${']'.repeat(3000)}`, alice)],
    ['nothing', ''],
    ['two parts', 'a.b'],
    ['dots', '...'],
  ])('is refused with %s', async (_name, jws) => {
    expect(await codeOf(verify(jws))).toBe('INVALID_SIGNATURE')
  })

  it('is refused when it is too long, before anything is read', async () => {
    expect(await codeOf(verify('x'.repeat(MAX_CARD_BYTES + 1)))).toBe('PAYLOAD_TOO_LARGE')
  })

  it('is refused when the schema says no', async () => {
    const { jws } = await signDocument({ a: 1 }, DOCUMENT_TYPES.card, alice)
    expect(await codeOf(createVerifier({ clock }).verifyCard(jws))).toBe('PROTOCOL_ERROR')
  })

  it.each([{ a: '' }, { a: [] }, { a: { b: {} } }, { a: null }, {}, [[]], '', null, { a: [undefined] }])(
    'is not made of empty values: %j',
    async document => {
      await expect(signDocument(document, DOCUMENT_TYPES.card, alice)).rejects.toMatchObject({
        code: 'INVALID_REQUEST',
      })
    },
  )

  it('says where the empty value is', () => {
    expect(() => toCanonicalJson({ claims: [{ tag: '' }] })).toThrow('an empty text at $.claims[0].tag')
  })

  it.each([undefined, Number.NaN, Infinity, '\uD800'])('is not made of what JSON cannot say: %s', value => {
    expect(() => toCanonicalJson({ a: [value] })).toThrow(ModelNetError)
  })

  it('is canonical as RFC 8785 has it', () => {
    const document = {
      '\u20ac': 'Euro',
      '\r': 1e21,
      '1': Number('333333333.33333329'),
      '\ud83d\ude00': [56, 1e-27],
      ö: '<\u0080>',
    }
    expect(toCanonicalJson(document)).toBe(
      '{"\\r":1e+21,"1":333333333.3333333,"ö":"<\u0080>","€":"Euro","😀":[56,1e-27]}',
    )
  })
})

describe('a node id', () => {
  it('is the key', () => {
    expect(toNodeId(toPublicKey(alice.nodeId))).toBe(alice.nodeId)
  })

  it.each(['', 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG', '0'.repeat(52), `${alice.nodeId}1`, 'x'.repeat(1e6)])(
    'is refused when it is no Ed25519 peer id',
    nodeId => {
      expect(() => toPublicKey(nodeId)).toThrow('expected the peer id')
    },
  )
})

describe('a verifier', () => {
  const sign = async (card: ModelCard, by = alice): Promise<string> =>
    (await signDocument(card, DOCUMENT_TYPES.card, by)).jws

  it('gives the card and keeps fields of newer versions', async () => {
    const card = { ...cardOf(alice), fieldOfTheFuture: 7 }
    expect((await createVerifier({ clock }).verifyCard(await sign(card))).document).toEqual(card)
  })

  it.each([
    ['signed by another node', cardOf(bob), alice],
    ['that has expired', cardOf(alice, { issuedAt: nowS - 20, expiresAt: nowS - 10 }), alice],
    ['from the future', cardOf(alice, { issuedAt: nowS + 1000, expiresAt: nowS + 2000 }), alice],
    ['that lives too long', cardOf(alice, { expiresAt: nowS + MAX_CARD_LIFE_S + 1 }), alice],
    ['that is never valid', cardOf(alice, { expiresAt: nowS - 1 }), alice],
  ])('refuses a card %s', async (_name, card, by) => {
    expect(await codeOf(createVerifier({ clock }).verifyCard(await sign(card, by)))).toBe('INVALID_SIGNATURE')
  })

  it('verifies a document once, but looks at the clock each time', async () => {
    const passing = createManualClock()
    const verifier = createVerifier({ clock: passing })
    const jws = await sign(cardOf(alice))
    const first = await verifier.verifyCard(jws)
    expect(await verifier.verifyCard(jws)).toBe(first)
    await passing.advance(3601_000)
    expect(await codeOf(verifier.verifyCard(jws))).toBe('INVALID_SIGNATURE')
  })

  it('forgets the document not asked for longest', async () => {
    const documents = await Promise.all(['a', 'b', 'c'].map(id => sign(cardOf(alice, { id }))))
    const [a = '', b = '', c = ''] = documents
    const verifier = createVerifier({ clock, capacity: 2.5 * a.length })
    const first = await verifier.verifyCard(a)
    const second = await verifier.verifyCard(b)
    await verifier.verifyCard(a)
    await verifier.verifyCard(c)
    expect(await verifier.verifyCard(a)).toBe(first)
    const again = await verifier.verifyCard(b)
    expect(again).not.toBe(second)
    expect(await verifier.verifyCard(b)).toBe(again)
  })

  it('remembers of one model the newest card, whatever comes after it', async () => {
    const verifier = createVerifier({ clock })
    const [old = '', fresh = ''] = await Promise.all(
      [2, 1].map(age => sign(cardOf(alice, { issuedAt: nowS - age, contextLength: age }))),
    )
    const replaced = await verifier.verifyCard(old)
    const kept = await verifier.verifyCard(fresh)
    expect(await verifier.verifyCard(old)).not.toBe(replaced)
    expect(await verifier.verifyCard(fresh)).toBe(kept)
  })

  it('does not take a known payload under a forged signature', async () => {
    const verifier = createVerifier({ clock })
    const jws = await sign(cardOf(alice))
    await verifier.verifyCard(jws)
    const forged = `${jws.slice(0, jws.lastIndexOf('.'))}.${base64url.encode(new Uint8Array(64))}`
    expect(await codeOf(verifier.verifyCard(forged))).toBe('INVALID_SIGNATURE')
  })

  it('checks member records in the same way, and does not take one for a card', async () => {
    const record: MemberRecord = {
      version: 1,
      node: alice.nodeId,
      seq: 1,
      issuedAt: nowS,
      expiresAt: nowS + 60,
      protocols: ['/modelnet/channel/1'],
    }
    const { jws } = await signDocument(record, DOCUMENT_TYPES.member, alice)
    const verifier = createVerifier({ clock })
    expect((await verifier.verifyMember(jws)).document).toEqual(record)
    expect(await codeOf(verifier.verifyCard(jws))).toBe('INVALID_SIGNATURE')
  })
})

describe('a receipt', () => {
  const digest = `sha256:${'0'.repeat(64)}`
  const receipt: Receipt = {
    version: 1,
    client: alice.nodeId,
    server: bob.nodeId,
    model: 'modelnet/arithmetic',
    card: digest,
    request: digest,
    response: digest,
    promptTokens: 10,
    completionTokens: 0,
    nonce: '0'.repeat(32),
    time: nowS,
  }
  const sign = async (document: Receipt, by: Identity): Promise<string> =>
    (await signDocument(document, DOCUMENT_TYPES.receipt, by)).jws

  it('is signed by both sides', async () => {
    const signed = { client: await sign(receipt, alice), server: await sign(receipt, bob) }
    expect((await verifyReceipt(signed)).document).toEqual(receipt)
  })

  it.each([
    ['both signatures are of one side', receipt, alice],
    ['the sides signed different usage', { ...receipt, promptTokens: 1000 }, bob],
  ])('is refused when %s', async (_name, other, by) => {
    const signed = { client: await sign(receipt, alice), server: await sign(other, by) }
    expect(await codeOf(verifyReceipt(signed))).toBe('INVALID_SIGNATURE')
  })
})

it('a probe report has an interval around its accuracy', () => {
  const digest = `sha256:${'a'.repeat(64)}`
  const report = {
    version: 1,
    evaluator: alice.nodeId,
    node: bob.nodeId,
    model: 'modelnet/arithmetic',
    card: digest,
    tag: 'skill:arithmetic',
    questions: digest,
    grader: 'exact',
    seed: 0,
    n: 100,
    accuracy: 0.9,
    interval: [0.825, 0.945],
    time: nowS,
  }
  expect(ProbeReportSchema.safeParse(report).success).toBe(true)
  expect(ProbeReportSchema.safeParse({ ...report, interval: [0.95, 1] }).success).toBe(false)
})
