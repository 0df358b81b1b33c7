import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { ModelNetError } from '../../utils/errors.ts'
import { type ClientOptions, getJson, postJson } from '../client.ts'
import { printable, type Terminal } from '../terminal.ts'

/** `modelnet feedback`: says how good an answer was, by the id it came with. */
export async function feedback(
  {
    id,
    score,
    json,
    ...client
  }: ClientOptions & { readonly id: string; readonly score: string; readonly json?: boolean },
  terminal: Terminal,
): Promise<void> {
  const told = await postJson('/modelnet/feedback', { id, score: readScore(score) }, client)
  terminal.out(json ? `${JSON.stringify(told)}\n` : 'thank you\n')
}

function readScore(text: string): number {
  const named: Readonly<Record<string, number>> = { up: 1, right: 1, down: 0, wrong: 0 }
  const score = named[text] ?? (text.trim() === '' ? Number.NaN : Number(text))
  if (score >= 0 && score <= 1) return score
  throw new ModelNetError('INVALID_REQUEST', `expected up, down, or a number from 0 to 1, got ${text}`)
}

const IssuedSchema = z.object({ jws: z.string() })
const AcceptedSchema = z.object({ evaluator: z.string(), records: z.number() })

/** `modelnet evidence export`: what a node knows of models, signed by it. */
export async function exportEvidence(
  { output, ...client }: ClientOptions & { readonly output?: string },
  terminal: Terminal,
): Promise<void> {
  const { jws } = IssuedSchema.parse(await getJson('/modelnet/attestation', client))
  if (output === undefined) return terminal.out(`${jws}\n`)
  writeFileSync(output, `${jws}\n`)
  terminal.out(`${output}: ${jws.length} bytes\n`)
}

/** `modelnet evidence import`: makes a node take in what another one knows. */
export async function importEvidence(
  options: ClientOptions & { readonly file: string; readonly trust?: number; readonly json?: boolean },
  terminal: Terminal,
): Promise<void> {
  const { file, trust, json, ...client } = options
  const body = { jws: read(file), ...(trust !== undefined && { trust }) }
  const { evaluator, records } = AcceptedSchema.parse(await postJson('/modelnet/attestation', body, client))
  terminal.out(
    json ? `${JSON.stringify({ evaluator, records })}\n` : `${records} records of ${printable(evaluator)} taken in\n`,
  )
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new ModelNetError('NOT_FOUND', `cannot read ${file}`, { cause })
  }
}
