import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sendLess } from './lean-yamux.ts'

const DATA = 0
const WINDOW_UPDATE = 1

interface Frame {
  readonly type: number
  readonly flag: number
  readonly streamID: number
  readonly length: number
}

function createMuxer() {
  const frames: Frame[] = []
  const messages: { readonly byteLength: number; subarray(): Uint8Array }[] = []
  const muxer = {
    send: (data: (typeof messages)[number]) => messages.push(data) > 0,
    sendFrame: (header: Frame) => frames.push(header) > 0,
  }
  sendLess(muxer)
  return { muxer, frames, messages }
}

describe('a multiplexer that sends less', () => {
  it('gives back the whole window, a quarter late at most, and holds nothing back that has a flag', () => {
    const update = fc.record({
      type: fc.constant(WINDOW_UPDATE),
      flag: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(1, 2, 4, 8) }),
      streamID: fc.integer({ min: 1, max: 3 }),
      length: fc.integer({ min: 0, max: 40_000 }),
    })
    fc.assert(
      fc.property(fc.array(update, { maxLength: 60 }), updates => {
        const { muxer, frames } = createMuxer()
        const given = (of: readonly Frame[], stream: number): number =>
          of.reduce((sum, { streamID, length }) => (streamID === stream ? sum + length : sum), 0)
        for (const [at, header] of updates.entries()) {
          muxer.sendFrame(header)
          for (const stream of [1, 2, 3]) {
            const owed = given(updates.slice(0, at + 1), stream) - given(frames, stream)
            expect(owed).toBeGreaterThanOrEqual(0)
            expect(owed).toBeLessThan(64 * 1024)
          }
          if (header.flag !== 0) expect(frames.at(-1)).toMatchObject({ flag: header.flag, streamID: header.streamID })
        }
      }),
    )
  })

  it('answers a frame of a decode step with no packet of its own', () => {
    const { muxer, frames } = createMuxer()
    for (let step = 0; step < 600; step++) muxer.sendFrame({ type: WINDOW_UPDATE, flag: 0, streamID: 1, length: 100 })
    expect(frames).toEqual([])
  })

  it('leaves data alone, and sends short messages in one piece', () => {
    const { muxer, frames, messages } = createMuxer()
    muxer.sendFrame({ type: DATA, flag: 0, streamID: 1, length: 5 })
    expect(frames).toEqual([{ type: DATA, flag: 0, streamID: 1, length: 5 }])
    const whole = new Uint8Array([1, 2, 3])
    const long = { byteLength: 100_000, subarray: () => new Uint8Array(100_000) }
    muxer.send({ byteLength: 3, subarray: () => whole })
    muxer.send(long)
    expect(messages).toEqual([whole, long])
  })
})
