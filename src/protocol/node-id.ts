import { base58btc } from 'multiformats/bases/base58'
import { ModelNetError } from '../utils/errors.ts'

/**
 * A libp2p peer id of an Ed25519 key: the identity multihash (0x00, 36 bytes) of the protobuf of the public key (key
 * type 1, 32 bytes of data), in base58btc. The key is in the name, so no lookup is needed to check a signature.
 */
const PREFIX: readonly number[] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20]
const KEY_BYTES = 32
/** All Ed25519 peer ids have 52 characters, `12D3KooW…`. */
const NODE_ID_LENGTH = 52

export function toNodeId(publicKey: Uint8Array): string {
  if (publicKey.length !== KEY_BYTES)
    throw new ModelNetError(
      'INVALID_SIGNATURE',
      `an Ed25519 public key has ${KEY_BYTES} bytes, not ${publicKey.length}`,
    )
  return base58btc.baseEncode(Uint8Array.from([...PREFIX, ...publicKey]))
}

/** The Ed25519 public key a node id stands for. Throws INVALID_SIGNATURE for other ids, other kinds of key included. */
export function toPublicKey(nodeId: string): Uint8Array {
  const bytes = nodeId.length === NODE_ID_LENGTH ? decodeBase58(nodeId) : undefined
  if (bytes?.length !== PREFIX.length + KEY_BYTES || PREFIX.some((byte, index) => bytes[index] !== byte))
    throw new ModelNetError(
      'INVALID_SIGNATURE',
      `expected the peer id of an Ed25519 key, got ${JSON.stringify(nodeId.slice(0, 64))}`,
    )
  return bytes.slice(PREFIX.length)
}

export function isNodeId(value: unknown): value is string {
  if (typeof value !== 'string') return false
  try {
    return toPublicKey(value).length === KEY_BYTES
  } catch {
    return false
  }
}

function decodeBase58(text: string): Uint8Array | undefined {
  try {
    return base58btc.baseDecode(text)
  } catch {
    return undefined
  }
}
