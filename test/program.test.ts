import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ask, finalAnswer, startNode, temporaryDirectory } from './support/processes.ts'

const folder = new URL('../dist/program/', import.meta.url)

/** Files that a process loaded, by what V8 wrote of it. */
const loadedBy = (directory: string): readonly string[] =>
  readdirSync(directory).flatMap(file => {
    const { result } = JSON.parse(readFileSync(join(directory, file), 'utf8')) as { result: { url: string }[] } // V8's
    return result.flatMap(({ url }) => (url.startsWith('file:') ? [url] : []))
  })

describe('the program in few files', () => {
  it('is all that a node loads: no packages, no files of the library', async () => {
    const coverage = temporaryDirectory()
    const node = await startNode(['--model', 'geography'], { NODE_V8_COVERAGE: coverage })
    const { choices } = await ask(node.gateway, 'What is the capital of Japan?')
    expect(finalAnswer(choices[0]?.message.content ?? '')).toBe('Tokyo')
    await node.stop()
    const files = loadedBy(coverage)
    const others = files.filter(url => !url.startsWith(folder.href) && !url.endsWith('/bin/modelnet.js'))
    // The package that says where llama.cpp's binary lies is the one exception, in the inference process.
    expect(others.filter(url => !url.includes('/@node-llama-cpp/'))).toEqual([])
    expect(files.length).toBeGreaterThan(5)
    expect(files.length).toBeLessThan(100)
  })

  it('imports nothing by a name that a package of CommonJS has only when it is required', () => {
    // A bundler gives `await import('package')` of CommonJS no names: such packages are imported by a file of ours.
    const chunks = readdirSync(fileURLToPath(folder)).filter(file => file.endsWith('.js'))
    for (const file of chunks) {
      const text = readFileSync(new URL(file, folder), 'utf8')
      const imported = [...text.matchAll(/\{[^}]*\} = await import\("\.\/([^"]+)"\)/g)].flatMap(match => match[1] ?? [])
      for (const name of imported)
        expect(readFileSync(new URL(name, folder), 'utf8'), `${file} imports ${name}`).not.toMatch(
          /export default require_/,
        )
    }
  })
})
