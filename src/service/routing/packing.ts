/** Numbers as text for saved routers: 32-bit floats, or bytes with one scale where a percent of error does no harm. */
export interface PackedBytes {
  readonly scale: number
  readonly bytes: string
}

export const packFloats = (values: Float32Array): string =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64')

export function unpackFloats(text: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'))
  return new Float32Array(bytes.buffer, 0, bytes.length >>> 2)
}

export function packBytes(values: Float32Array): PackedBytes {
  let top = 0
  for (const value of values) top = Math.max(top, Math.abs(value))
  const scale = top / 127 || 1
  const bytes = Int8Array.from(values, value => Math.round(value / scale))
  return { scale, bytes: Buffer.from(bytes.buffer).toString('base64') }
}

/** Stays in bytes: a quarter of the memory that a decision has to read. Multiply sums by the scale. */
export const unpackBytes = ({ bytes }: PackedBytes): Int8Array =>
  new Int8Array(Uint8Array.from(Buffer.from(bytes, 'base64')).buffer)
