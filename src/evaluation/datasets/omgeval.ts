import { z } from 'zod'
import { ModelNetError } from '../../utils/errors.ts'
import { checked, parseJson, readText } from './source.ts'

/** A question without one right answer: a judge compares two answers, often with a reference system's. */
export interface OpenQuestion {
  readonly id: string
  readonly question: string
  /** The reference system's answer. */
  readonly reference?: string
}

const Outputs = z.array(z.object({ instruction: z.string().min(1), output: z.string() }))

/**
 * OMGEval as published: `data/OMGEval_<Language>.txt` holds one question per line, and `model_outputs/<language>/*.json`
 * the answers of one system as a list of `{instruction, output}` in the same order, used as the reference.
 */
export async function loadOmgeval(file: string, referenceFile?: string): Promise<readonly OpenQuestion[]> {
  const questions = (await readText(file))
    .split(/\r?\n/u)
    .flatMap((text, index) => (text.trim() === '' ? [] : [{ text: text.trim(), line: index + 1 }]))
  const reference = referenceFile === undefined ? undefined : await readReference(referenceFile)
  return questions.map(({ text, line }) => {
    const output = reference?.get(text)
    if (reference && output === undefined)
      throw new ModelNetError('INVALID_REQUEST', `${file}:${line}: ${referenceFile} has no answer to this question`)
    return { id: `omgeval/${line}`, question: text, ...(output === undefined ? {} : { reference: output }) }
  })
}

async function readReference(file: string): Promise<ReadonlyMap<string, string>> {
  const rows = checked(Outputs, { value: parseJson(await readText(file), file, 1), file, line: 1 })
  return new Map(rows.map(row => [row.instruction.trim(), row.output]))
}
