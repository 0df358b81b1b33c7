import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, parseAllDocuments } from 'yaml'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const deployFolder: string = join(root, 'deploy')
export const chartFolder: string = join(deployFolder, 'helm', 'modelnet')

/** One Kubernetes object, as far as the tests look into it. */
export interface ClusterObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly data?: Readonly<Record<string, string>>
  // what the schemas of Kubernetes have accepted by then
  readonly spec?: Readonly<Record<string, unknown>>
}

/** A set of values and what the chart becomes with them, kept in the repository. */
export interface Rendering {
  readonly name: string
  /** Beside the chart's own `values.yaml`. */
  readonly values: string | undefined
  readonly file: string
}

export const RENDERINGS: readonly Rendering[] = [
  { name: 'the default values', values: undefined, file: join(deployFolder, 'kubernetes', 'modelnet.yaml') },
  {
    name: 'everything optional',
    values: join(deployFolder, 'helm', 'examples', 'guarded.values.yaml'),
    file: join(deployFolder, 'helm', 'examples', 'guarded.yaml'),
  },
]

export const readYaml = (file: string): unknown => parse(readFileSync(file, 'utf8'))

export const toObjects = (text: string): readonly ClusterObject[] =>
  parseAllDocuments(text).map(document => document.toJS() as ClusterObject) // checked against the schemas

/** The values a rendering is made with: the chart's own, and over them those of its file. */
export function valuesOf({ values }: Rendering): unknown {
  const own = readYaml(join(chartFolder, 'values.yaml'))
  return values === undefined ? own : over(own, readYaml(values))
}

function over(below: unknown, above: unknown): unknown {
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isObject(below) || !isObject(above)) return above
  const merged: Record<string, unknown> = { ...below }
  for (const [key, value] of Object.entries(above)) merged[key] = over(merged[key], value)
  return merged
}

/** Names what a rendering was made from, so that a chart that has changed since is noticed. */
export function sourceDigest({ values }: Rendering): string {
  const files = readdirSync(chartFolder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name !== 'NOTES.txt')
    .map(entry => join(entry.parentPath, entry.name))
    .toSorted()
  const hash = createHash('sha256')
  for (const file of values === undefined ? files : [...files, values])
    hash
      .update(`${relative(deployFolder, file)}\n`)
      .update(readFileSync(file))
      .update('\0')
  return hash.digest('hex')
}

/** Where the compiler finds the types of Kubernetes, and nobody else looks. */
const typesFolder = join(root, 'node_modules', '.cache', 'modelnet-deploy')

/** Objects as a program: the compiler then tells of fields that Kubernetes does not know. Returns its folder. */
export function writeAsProgram(objects: readonly ClusterObject[]): string {
  mkdirSync(typesFolder, { recursive: true })
  const lines = objects.map(({ apiVersion, kind, ...rest }, index) => {
    const text = JSON.stringify({ apiVersion, kind, ...rest }, null, 1)
    return `import type { I${kind} as I${index} } from 'kubernetes-models/${apiVersion}'\nexport const object${index}: I${index} = ${text}\n`
  })
  writeFileSync(join(typesFolder, 'objects.ts'), lines.join('\n'))
  writeFileSync(
    join(typesFolder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: { noEmit: true, strict: true, skipLibCheck: true, module: 'NodeNext', types: [] },
      files: ['objects.ts'],
    }),
  )
  return typesFolder
}
