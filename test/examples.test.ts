import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const folder = new URL('../examples/', import.meta.url)
const execute = promisify(execFile)

describe('the examples', () => {
  it.each(readdirSync(folder).filter(name => name.endsWith('.ts')))('%s prints what its header says', async name => {
    const file = fileURLToPath(new URL(name, folder))
    const expected = [...readFileSync(file, 'utf8').matchAll(/^ \* Prints: (.*)$/gm)].map(match => match[1])
    expect(expected.length).toBeGreaterThan(0)
    const { stdout } = await execute(process.execPath, ['--import', 'tsx', file])
    expect(stdout.trim().split('\n')).toEqual(expected)
  })
})
