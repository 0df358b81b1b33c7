import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { BARE_TAG } from '../protocol/index.ts'
import type { ModelSpec } from '../resource/index.ts'
import { ModelNetError } from '../utils/errors.ts'

/** A specialist that comes with the package. */
export interface ShippedModel {
  readonly name: string
  readonly spec: ModelSpec
}

const CardTemplateSchema = z.object({
  name: z.string(),
  description: z.string(),
  tags: z.array(z.string()),
  contextLength: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  measured: z.array(z.object({ tag: z.string(), n: z.int().positive(), accuracy: z.number() })).optional(),
  measuredByKind: z.array(z.object({ kind: z.string() })).optional(),
})

/** `models/` of the package, from `src/` as from `dist/`. */
export const shippedModelsDirectory = (): string => fileURLToPath(new URL('../../models', import.meta.url))

/** Every shipped model whose file is there, in order of name. */
export function shippedModels(): readonly ShippedModel[] {
  const directory = shippedModelsDirectory()
  if (!existsSync(directory)) return []
  return readdirSync(directory, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name)
    .filter(name => [`${name}.gguf`, 'card.json'].every(file => existsSync(join(directory, name, file))))
    .map(name => ({ name, spec: readSpec(directory, name) }))
    .toSorted((a, b) => a.name.localeCompare(b.name))
}

/** The shipped model of this name; throws INVALID_CONFIG naming those there are. */
export function shippedModel(name: string): ShippedModel {
  const models = shippedModels()
  const found = models.find(model => model.name === name)
  if (found) return found
  const names = models.map(model => model.name).join(', ')
  throw new ModelNetError('INVALID_CONFIG', `no shipped model is called ${name}; there are: ${names || 'none'}`)
}

function readSpec(directory: string, name: string): ModelSpec {
  const file = join(directory, name, 'card.json')
  const parsed = CardTemplateSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')))
  if (!parsed.success)
    throw new ModelNetError('INVALID_CONFIG', `${file}: ${parsed.error.issues[0]?.message ?? 'not a card'}`)
  const card = parsed.data
  return {
    id: `modelnet/${name}`,
    description: card.description,
    tags: [...card.tags, ...reviewedFields(card), BARE_TAG], // all of them were trained on bare questions
    file: join(directory, name, `${name}.gguf`),
    digest: `sha256:${card.sha256}`,
    contextLength: card.contextLength,
    ...(card.measured?.length && { claims: card.measured.map(({ tag, n, accuracy }) => ({ tag, n, accuracy })) }),
  }
}

/** Fields that a reviewer was measured in: of its kinds `review units up` says `review:units`. */
function reviewedFields({ tags, measuredByKind = [] }: z.infer<typeof CardTemplateSchema>): readonly string[] {
  if (!tags.includes('skill:review')) return []
  const fields = measuredByKind.flatMap(({ kind }) => /^review (\w+) /u.exec(kind)?.[1] ?? [])
  return [...new Set(fields)].filter(field => field !== 'verdict').map(field => `review:${field}`)
}
