import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

/** Each layer may import those before it. `evaluation` and `testing` stand beside the house and use all of it. */
const LAYERS = ['utils', 'protocol', 'network', 'resource', 'service', 'interaction', 'evaluation', 'application']
/** Packages that compute and do no I/O. */
const PURE_PACKAGES = ['canonicalize', 'cborg', 'jose', 'multiformats', 'zod']
const MAX_LINES = 300
/** Side doors that are meant. */
const ALLOWED: readonly (readonly [file: string, imported: string])[] = [
  // A process of its own, started for each node: the index loads libp2p, which costs a second of CPU.
  ['resource/inference-service.ts', '../network/multiplexer.ts'],
  // Started before the layers are loaded.
  ['application/commands/serve.ts', '../../resource/inference-process.ts'],
]

const root = fileURLToPath(new URL('../src', import.meta.url))
const sources = new Map(
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts'))
    .map(path => [path.replaceAll('\\', '/'), readFileSync(join(root, path), 'utf8')]),
)

/** What is wrong with how these files, by their path in `src`, import one another. */
function findFaults(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([file, text]) =>
    isTest(file)
      ? []
      : importsOf(text).flatMap(found =>
          faultOf(file, found, files).map(fault => `${file} imports ${found}: ${fault}`),
        ),
  )
}

const isTest = (file: string): boolean => file.endsWith('.test.ts') || file.startsWith('testing/')
const layerOf = (file: string): string => (file.includes('/') ? (file.split('/')[0] ?? '') : '')

function faultOf(file: string, imported: string, files: ReadonlyMap<string, string>): string[] {
  const layer = layerOf(file)
  if (ALLOWED.some(([user, used]) => user === file && used === imported)) return []
  if (!imported.startsWith('.')) {
    const name = imported.startsWith('@') ? imported.split('/').slice(0, 2).join('/') : (imported.split('/')[0] ?? '')
    if (layer !== 'protocol') return []
    if (isBuiltin(imported)) return ['the protocol does no I/O']
    return PURE_PACKAGES.includes(name) ? [] : [`the protocol uses ${PURE_PACKAGES.join(', ')} only`]
  }
  const target = normalize(join(dirname(file), imported)).replaceAll('\\', '/')
  const other = layerOf(target)
  if (!files.has(target)) return target.startsWith('..') ? ['it is outside of src'] : ['there is no such file']
  if (isTest(target)) return ['what is for tests is used by tests only']
  if (layer === '')
    return other === 'utils' || target === `${other}/index.ts` ? [] : ['a layer is entered by its index.ts']
  if (other === layer)
    return areSiblings(file, target, files) ? ['implementations of a contract do not know one another'] : []
  if (LAYERS.indexOf(other) === -1 || LAYERS.indexOf(other) > LAYERS.indexOf(layer)) return ['imports point downward']
  return other === 'utils' || target === `${other}/index.ts` ? [] : ['a layer is entered by its index.ts']
}

/** Two entries of a folder that has a contract of its singular name beside it: `engines/` and `engine.ts`. */
function areSiblings(file: string, target: string, files: ReadonlyMap<string, string>): boolean {
  const parts = file.split('/')
  return parts.some((part, depth) => {
    const folder = parts.slice(0, depth + 1).join('/')
    const contract = `${[...parts.slice(0, depth), part.replace(/ies$/, 'y').replace(/s$/, '')].join('/')}.ts`
    if (!/s$/.test(part) || !files.has(contract) || !target.startsWith(`${folder}/`)) return false
    const [ours, theirs] = [file, target].map(path =>
      path
        .slice(folder.length + 1)
        .split('/')[0]
        ?.replace(/\.ts$/, ''),
    )
    return ours !== theirs && ![ours, theirs].includes('index')
  })
}

/** Every module a text names: imports and exports of values and types, side effects, dynamic imports, worker files. */
function importsOf(text: string): string[] {
  const found: string[] = []
  // Comments, templates and texts, left to right, so that none is taken for a part of another.
  const token = /\/\*[\s\S]*?\*\/|\/\/.*|`(?:[^`\\]|\\[\s\S])*`|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g
  for (const { 0: literal, index } of text.matchAll(token)) {
    if (literal.startsWith('/')) continue
    const before = text.slice(Math.max(0, index - 40), index).trimEnd()
    const isUrl =
      /\bnew URL\($/.test(before) &&
      /\.ts.$/.test(literal) &&
      /^\s*,\s*import\.meta\.url/.test(text.slice(index + literal.length))
    if (/\b(?:from|import|(?:import|require)\()$/.test(before) || isUrl) found.push(literal.slice(1, -1))
  }
  return found
}

describe('the house', () => {
  it('was found', () => {
    expect(sources.size).toBeGreaterThan(80)
    for (const layer of LAYERS) expect(sources.has(`${layer}/index.ts`) || layer === 'utils', layer).toBe(true)
    const edges = [...sources.values()].flatMap(importsOf)
    expect(edges.length).toBeGreaterThan(300)
    // As many as a cruder count finds: none is overlooked.
    const lines = [...sources.values()].flatMap(
      text => text.match(/^(?:import|export|\}).* from '.*'$|^import '.*'$/gm) ?? [],
    )
    expect(edges.length).toBeGreaterThanOrEqual(lines.length)
  })

  it('has imports that point downward, through the doors', () => {
    expect(findFaults(sources)).toEqual([])
  })

  it(`has rooms of at most ${MAX_LINES} lines`, () => {
    const long = [...sources]
      .filter(([file]) => !file.endsWith('.test.ts'))
      .map(([file, text]) => ({ file, lines: text.trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > MAX_LINES)
    expect(long).toEqual([])
  })
})

describe('a fault in the house', () => {
  const house: Readonly<Record<string, string>> = {
    'utils/errors.ts': '',
    'protocol/index.ts': '',
    'protocol/codec.ts': '',
    'network/index.ts': '',
    'resource/index.ts': '',
    'resource/engine.ts': '',
    'resource/engines/a.ts': '',
    'resource/engines/b/index.ts': '',
    'resource/engines/b/part.ts': '',
    'testing/index.ts': '',
    'application/index.ts': '',
    'index.ts': '',
  }
  const faultsOf = (file: string, text: string): string[] =>
    findFaults(new Map(Object.entries({ ...house, [file]: text })))

  it.each([
    ['an upward import', 'network/x.ts', "import { a } from '../resource/index.ts'"],
    ['an upward import of a type', 'network/x.ts', "import type { A } from '../resource/index.ts'"],
    ['an upward export', 'network/x.ts', "export { a } from '../resource/index.ts'"],
    ['an upward import over lines', 'network/x.ts', "import {\n  a,\n  b,\n} from '../resource/index.ts'"],
    ['an upward import for its effect', 'network/x.ts', "import '../resource/index.ts'"],
    ['an upward dynamic import', 'network/x.ts', "const a = await import('../resource/index.ts')"],
    ['an upward type query', 'network/x.ts', "type A = typeof import('../resource/index.ts')"],
    ['an upward worker', 'network/x.ts', "new URL('../resource/index.ts', import.meta.url)"],
    ['a side door', 'network/x.ts', "import { a } from '../protocol/codec.ts'"],
    ['a side door of the package', 'index.ts', "export { a } from './protocol/codec.ts'"],
    ['a sibling implementation', 'resource/engines/a.ts', "import { b } from './b/part.ts'"],
    ['a sibling implementation from within', 'resource/engines/b/part.ts', "import { a } from '../a.ts'"],
    ['I/O in the protocol', 'protocol/x.ts', "import { readFile } from 'node:fs/promises'"],
    ['I/O in the protocol by its old name', 'protocol/x.ts', "import { readFileSync } from 'fs'"],
    ['a package with I/O in the protocol', 'protocol/x.ts', "import { fetch } from 'undici'"],
    ['test code in the product', 'network/x.ts', "import { a } from '../testing/index.ts'"],
    ['utils that know a layer', 'utils/x.ts', "import { a } from '../protocol/index.ts'"],
    ['a file outside of src', 'network/x.ts', "import { a } from '../../test/x.ts'"],
    ['a file that is not there', 'network/x.ts', "import { a } from './gone.ts'"],
  ])('is found: %s', (_name, file, text) => {
    expect(faultsOf(file, text)).toHaveLength(1)
  })

  it.each([
    ['a layer below', 'resource/x.ts', "import { a } from '../network/index.ts'\nimport '../utils/errors.ts'"],
    ['the same layer', 'resource/engines/b/part.ts', "import type { E } from '../../engine.ts'\nimport './index.ts'"],
    [
      'a comment',
      'network/x.ts',
      "/** @example import { a } from '../resource/index.ts' */\n// import '../resource/index.ts'",
    ],
    ['a text', 'network/x.ts', "const a = 'http://x' // from '../resource/index.ts'"],
    ['tests', 'network/x.test.ts', "import { a } from '../testing/index.ts'"],
  ])('is not seen in %s', (_name, file, text) => {
    expect(faultsOf(file, text)).toEqual([])
  })
})
