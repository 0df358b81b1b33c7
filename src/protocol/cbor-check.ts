import { ModelNetError } from '../utils/errors.ts'
import { MAX_FRAME_ITEMS, MAX_NESTING } from './limits.ts'

interface Scan {
  readonly bytes: Uint8Array
  items: number
  byteStrings: number
  byteOrderMark: boolean
}

/** What the check saw that the decoder must know. */
export interface CborFacts {
  /** A text begins with U+FEFF, which decoders of text commonly drop. */
  readonly byteOrderMark: boolean
  /** About what the decoded value takes in memory, in bytes: many small values take far more than they have on the wire. */
  readonly memory: number
}

/** Memory of a value beyond its content in V8, measured with frames of nothing but empty maps and of byte strings. */
const VALUE_BYTES = 72
const BYTE_STRING_BYTES = 220

/**
 * Throws PROTOCOL_ERROR unless the bytes are exactly one value of our subset of deterministic CBOR (RFC 8949 4.2):
 * definite lengths, shortest integers and lengths, keys that are texts in strictly ascending order of their encoding,
 * well-formed UTF-8, no tags, no undefined, no NaN, no integer beyond 2^53 - 1, at most `MAX_NESTING` deep and
 * `MAX_FRAME_ITEMS` values. Allocates nothing that grows with the input, so it runs before any value is built.
 */
export function checkCbor(bytes: Uint8Array): CborFacts {
  const scan: Scan = { bytes, items: 0, byteStrings: 0, byteOrderMark: false }
  const end = checkItem(scan, 0, 0)
  if (end !== bytes.length) throw refuse(`${bytes.length - end} bytes after the value`)
  const { items, byteStrings, byteOrderMark } = scan
  return { byteOrderMark, memory: bytes.length + VALUE_BYTES * items + (BYTE_STRING_BYTES - VALUE_BYTES) * byteStrings }
}

const refuse = (what: string): ModelNetError => new ModelNetError('PROTOCOL_ERROR', `frame is not valid CBOR: ${what}`)

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Checks the value at `start` and returns where the next one begins. */
function checkItem(scan: Scan, start: number, depth: number): number {
  const { bytes } = scan
  if (++scan.items > MAX_FRAME_ITEMS) throw refuse(`more than ${MAX_FRAME_ITEMS} values`)
  const initial = byteAt(bytes, start)
  const major = initial >> 5
  if (major === 7) return checkSimple(bytes, start, initial & 31)
  const size = argumentSize(initial & 31)
  const argument = readArgument(bytes, start, size)
  const next = start + 1 + size
  const left = bytes.length - next
  switch (major) {
    case 0:
    case 1:
      return next
    case 2:
      if (argument > left) throw refuse('a byte string is longer than the frame')
      scan.byteStrings++
      return next + argument
    case 3:
      if (argument > left) throw refuse('a text is longer than the frame')
      checkText(scan, next, next + argument)
      return next + argument
    case 4: {
      // Every value takes at least one byte, so a length beyond what is left is a lie.
      if (argument > left) throw refuse('an array is longer than the frame')
      if (depth >= MAX_NESTING) throw refuse(`nested more than ${MAX_NESTING} deep`)
      let position = next
      for (let index = 0; index < argument; index++) position = checkItem(scan, position, depth + 1)
      return position
    }
    case 5:
      if (argument * 2 > left) throw refuse('a map is longer than the frame')
      if (depth >= MAX_NESTING) throw refuse(`nested more than ${MAX_NESTING} deep`)
      return checkMap(scan, next, argument, depth)
    default:
      throw refuse('tags are not used')
  }
}

function checkMap(scan: Scan, start: number, count: number, depth: number): number {
  let position = start
  let lastStart = 0
  let lastEnd = 0
  for (let index = 0; index < count; index++) {
    const keyStart = position
    if (byteAt(scan.bytes, keyStart) >> 5 !== 3) throw refuse('a key is not a text')
    const keyEnd = checkItem(scan, keyStart, depth)
    if (index > 0 && !isAscending(scan.bytes, lastStart, lastEnd, keyStart, keyEnd))
      throw refuse('keys are not in ascending order, or one is repeated')
    lastStart = keyStart
    lastEnd = keyEnd
    position = checkItem(scan, keyEnd, depth + 1)
  }
  return position
}

function isAscending(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): boolean {
  const length = Math.min(aEnd - a, bEnd - b)
  for (let index = 0; index < length; index++) {
    const left = byteAt(bytes, a + index)
    const right = byteAt(bytes, b + index)
    if (left !== right) return left < right
  }
  return aEnd - a < bEnd - b
}

function checkText(scan: Scan, start: number, end: number): void {
  for (let index = start; index < end; index++) {
    if (byteAt(scan.bytes, index) < 0x80) continue
    const text = scan.bytes.subarray(start, end)
    if (text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf) scan.byteOrderMark = true
    try {
      utf8.decode(text)
    } catch (cause) {
      throw new ModelNetError('PROTOCOL_ERROR', 'frame is not valid CBOR: a text is not UTF-8', { cause })
    }
    return
  }
}

/** false, true, null and floats; floats of any width, since a wider one is the same number. */
function checkSimple(bytes: Uint8Array, start: number, info: number): number {
  if (info >= 20 && info <= 22) return start + 1
  if (info < 25 || info > 27) throw refuse('undefined and reserved simple values are not used')
  const size = 1 << (info - 24)
  if (start + 1 + size > bytes.length) throw refuse('it ends within a number')
  const high = (byteAt(bytes, start + 1) << 8) | byteAt(bytes, start + 2)
  const exponent = info === 25 ? 0x7c00 : info === 26 ? 0x7f80 : 0x7ff0
  if ((high & exponent) !== exponent) return start + 1 + size
  let fraction = high & ~exponent & 0x7fff
  for (let index = 3; index <= size; index++) fraction |= byteAt(bytes, start + index)
  if (fraction !== 0) throw refuse('a number is NaN')
  return start + 1 + size
}

function argumentSize(info: number): number {
  if (info < 24) return 0
  if (info > 27) throw refuse('lengths are definite')
  return 1 << (info - 24)
}

/** The argument of an initial byte: an integer, or a length. Throws unless it is written in the shortest way. */
function readArgument(bytes: Uint8Array, start: number, size: number): number {
  if (size === 0) return byteAt(bytes, start) & 31
  if (start + 1 + size > bytes.length) throw refuse('it ends within a number')
  let value = 0
  for (let index = 1; index <= size; index++) value = value * 256 + byteAt(bytes, start + index)
  const least = size === 1 ? 24 : 256 ** (size / 2)
  if (value < least) throw refuse('an integer or length is not written in the shortest way')
  // For a negative integer, -1 - value must be safe as well.
  if (value > Number.MAX_SAFE_INTEGER - (byteAt(bytes, start) >> 5)) throw refuse('an integer is beyond 2^53 - 1')
  return value
}

function byteAt(bytes: Uint8Array, index: number): number {
  const byte = bytes[index]
  if (byte === undefined) throw refuse('it ends in the middle of a value')
  return byte
}
