import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ModelNetError } from '../utils/errors.ts'
import { decodeFrame, encodeFrame } from './codec.ts'
import { FrameReader, prefixFrame } from './framing.ts'
import { MAX_FRAME_BYTES, MAX_FRAME_ITEMS, MAX_NESTING } from './limits.ts'

/** Everything a frame carries. -0 is written as 0, so it is left out. */
const carried = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 6 },
    fc.constantFrom(null, true, false, -Infinity, Infinity, '\uFEFFmark', 'й'.repeat(30)),
    fc.string({ unit: 'binary' }),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }).map(number => number + 0),
    fc.uint8Array(),
    fc.array(tie('value'), { maxLength: 8 }),
    fc.dictionary(fc.string({ unit: 'binary' }), tie('value'), { maxKeys: 8, noNullPrototype: true }),
  ),
})).value

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'no error'
  } catch (error) {
    return error instanceof ModelNetError ? error.code : String(error)
  }
}

/** The same value with the keys of every map in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, part]) => [key, shuffled(part)]),
  )
}

describe('a frame', () => {
  it('carries every value unchanged', () => {
    fc.assert(
      fc.property(carried, value => {
        expect(decodeFrame(encodeFrame(value))).toStrictEqual(value)
      }),
    )
  })

  it('has the same bytes whatever the order of keys', () => {
    fc.assert(
      fc.property(carried, value => {
        expect(encodeFrame(shuffled(value))).toEqual(encodeFrame(value))
      }),
    )
  })

  it('is what the bytes were, when they are read', () => {
    fc.assert(
      fc.property(carried, value => {
        const bytes = encodeFrame(value)
        expect(encodeFrame(decodeFrame(bytes))).toEqual(bytes)
      }),
    )
  })

  it.each([
    ['an integer', 0, '00'],
    ['a float of half width', 1.5, 'f93e00'],
    ['minus infinity', -Infinity, 'f9fc00'],
    ['a float of full width', 0.1, 'fb3fb999999999999a'],
    ['keys in the order of their encoding', { b: 1, aa: 2, a: 3 }, 'a3 6161 03 6162 01 626161 02'],
    ['no property that is undefined', { a: undefined, b: 1 }, 'a1 6162 01'],
    ['the largest safe integer', Number.MAX_SAFE_INTEGER, '1b001fffffffffffff'],
    ['the smallest safe integer', Number.MIN_SAFE_INTEGER, '3b001ffffffffffffe'],
  ])('writes %s as RFC 8949 has it', (_name, value, expected) => {
    expect(encodeFrame(value)).toEqual(hex(expected))
  })

  it.each([
    ['NaN', { a: [Number.NaN] }],
    ['a bigint', 1n],
    ['a Map', new Map()],
    ['another typed array', new Float32Array(1)],
    ['undefined', [undefined]],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['nesting beyond the limit', nest(MAX_NESTING + 1)],
    ['nesting that would overflow the stack', nest(100_000)],
  ])('is not made of %s', (_name, value) => {
    expect(codeOf(() => encodeFrame(value))).toBe('INVALID_REQUEST')
  })

  it('may be nested as deep as the limit says, and no deeper', () => {
    expect(decodeFrame(encodeFrame(nest(MAX_NESTING)))).toEqual(nest(MAX_NESTING))
  })

  it('of more than the limit is neither sent nor read', () => {
    expect(codeOf(() => encodeFrame(new Uint8Array(MAX_FRAME_BYTES)))).toBe('PAYLOAD_TOO_LARGE')
    expect(codeOf(() => decodeFrame(new Uint8Array(MAX_FRAME_BYTES + 1)))).toBe('PROTOCOL_ERROR')
  })

  it.each([
    ['nothing', ''],
    ['two values', '0000'],
    ['an array of indefinite length', '9f00ff'],
    ['a text of indefinite length', '7f6161ff'],
    ['a break', 'ff'],
    ['keys in another order', 'a2 6162 01 6161 02'],
    ['a key twice', 'a2 6161 01 6161 02'],
    ['a key that is not a text', 'a1 01 02'],
    ['a tag', 'c000'],
    ['undefined', 'f7'],
    ['a simple value', 'f0'],
    ['NaN in half width', 'f97e00'],
    ['NaN in full width', 'fb7ff8000000000001'],
    ['an integer in more bytes than it needs', '1801'],
    ['a length in more bytes than it needs', '590001ff'],
    ['an integer beyond 2^53', '1b0020000000000000'],
    ['an integer below -2^53', '3b001fffffffffffff'],
    ['text that is not UTF-8', '62c328'],
    ['half a surrogate pair', '63eda080'],
    ['an array longer than the frame', '9a00ffffff'],
    ['a map longer than the frame', 'ba00ffffff'],
    ['a byte string longer than the frame', '5a00ffffff00'],
    ['reserved information', '1c'],
  ])('is not read from %s', (_name, bytes) => {
    expect(codeOf(() => decodeFrame(hex(bytes)))).toBe('PROTOCOL_ERROR')
  })

  it('is refused when few bytes make very many values', () => {
    const bytes = new Uint8Array(MAX_FRAME_ITEMS + 5).fill(0x80)
    bytes.set(hex('9a00040000'))
    expect(codeOf(() => decodeFrame(bytes))).toBe('PROTOCOL_ERROR')
  })

  it('may have a key named __proto__, which touches no prototype', () => {
    const value = decodeFrame(hex('a1 695f5f70726f746f5f5f a1 6178 01')) as Record<string, unknown>
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(value['x']).toBeUndefined()
  })
})

describe('reading frames from a byte stream', () => {
  it('gives the frames back, however the bytes are cut', () => {
    const frames = fc.array(fc.uint8Array({ minLength: 1, maxLength: 9000 }), { maxLength: 6 })
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(prefixFrame))
        const reader = new FrameReader()
        const read: Uint8Array[] = []
        let position = 0
        for (let index = 0; position < bytes.length; index++) {
          const size = cuts[index % cuts.length] as number
          for (const frame of reader.push(bytes.subarray(position, position + size))) read.push(Uint8Array.from(frame))
          position += size
        }
        expect(read).toEqual(sent)
        expect(reader.idle).toBe(true)
      }),
    )
  })

  it('refuses a length of 0 and one beyond the limit when it has read the length', () => {
    for (const length of [0, MAX_FRAME_BYTES + 1, 0xffffffff]) {
      const header = new Uint8Array(4)
      new DataView(header.buffer).setUint32(0, length)
      expect(codeOf(() => [...new FrameReader().push(header)])).toBe('PROTOCOL_ERROR')
    }
  })

  it('allocates for what has arrived, not for what was announced', () => {
    const before = process.memoryUsage().arrayBuffers
    const readers = Array.from({ length: 200 }, () => {
      const reader = new FrameReader()
      const header = Uint8Array.of(0, 64, 0, 0, 1) // 4 MiB announced, one byte sent
      expect([...reader.push(header)]).toEqual([])
      return reader
    })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024)
    expect(readers.every(reader => !reader.idle)).toBe(true)
  })

  it('does not copy a frame that came in one piece', () => {
    const chunk = prefixFrame(Uint8Array.of(1, 2, 3))
    const [frame] = [...new FrameReader().push(chunk)]
    expect(frame?.buffer).toBe(chunk.buffer)
  })
})

function nest(depth: number): unknown {
  let value: unknown = 1
  for (let index = 0; index < depth; index++) value = [value]
  return value
}
