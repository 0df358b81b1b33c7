import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto'
import { type Signer, toNodeId } from '../protocol/index.ts'
import { ModelNetError } from '../utils/errors.ts'

/** The key of a node. The node id is the public key, so whoever holds the seed is the node. */
export interface Identity extends Signer {
  /** The Ed25519 private key as RFC 8032 has it: 32 bytes. Never logged, never sent. */
  readonly seed: Uint8Array
  sign(bytes: Uint8Array): Uint8Array
}

const SEED_BYTES = 32
/** What comes before the seed in the PKCS #8 form of an Ed25519 key (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_PREFIX_BYTES = 12

/** An identity of 32 given bytes, or of fresh random ones. */
export function createIdentity(seed: Uint8Array = randomBytes(SEED_BYTES)): Identity {
  if (seed.length !== SEED_BYTES)
    throw new ModelNetError('INVALID_CONFIG', `the seed of an identity has ${SEED_BYTES} bytes, not ${seed.length}`)
  const key = toPrivateKey(seed)
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX_BYTES)
  return {
    nodeId: toNodeId(publicKey),
    seed: Uint8Array.from(seed),
    sign: bytes => new Uint8Array(sign(null, bytes, key)),
  }
}

/** The private key in PEM (PKCS #8), as it is kept in a file. */
export const toPem = ({ seed }: Pick<Identity, 'seed'>): string =>
  toPrivateKey(seed).export({ format: 'pem', type: 'pkcs8' }).toString()

const toPrivateKey = (seed: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
