import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { run, startNode, temporaryDirectory } from './support/processes.ts'

const execute = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  overrides: Record<string, string>
  exports: Record<string, unknown>
}
const project = join(temporaryDirectory(), 'consumer')

/** A project that installs the packed tarball, with the overrides of the README that leave the GPU builds out. */
beforeAll(async () => {
  mkdirSync(project)
  const { stdout } = await execute('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', project], {
    cwd: root,
  })
  const packed: unknown = JSON.parse(stdout)
  const [tarball] = (Array.isArray(packed) ? packed : Object.values(packed as object)) as { filename: string }[] // npm 11 lists, npm 12 names
  const content = { name: 'consumer', private: true, type: 'module', overrides: manifest.overrides }
  writeFileSync(join(project, 'package.json'), JSON.stringify(content))
  const install = [
    'install',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    `./${tarball?.filename}`,
  ]
  await execute('npm', install, { cwd: project, maxBuffer: 1e7 })
}, 300_000)

describe('the packed package', () => {
  it('takes less than 350 MB with everything it needs', async () => {
    const { stdout } = await execute('du', ['-sm', 'node_modules'], { cwd: project })
    expect(Number.parseInt(stdout, 10)).toBeLessThan(350)
  })

  it('opens every door that it names', async () => {
    const doors = Object.keys(manifest.exports).filter(door => !door.endsWith('.json'))
    const script = doors.map(door => `await import(${JSON.stringify(`modelnet${door.slice(1)}`)})`).join('\n')
    await execute(process.execPath, ['--input-type=module', '--eval', `${script}\nprocess.exit(0)`], { cwd: project })
  })

  it('runs a node that answers', async () => {
    writeFileSync(
      join(project, 'main.js'),
      `import { createNode, loadConfig } from 'modelnet'
       const config = loadConfig({ overrides: { dataDir: './data', network: { mdns: false }, gateway: { port: 0 }, models: [{ shipped: 'geography' }] } })
       const node = await createNode(config)
       const { text } = await node.ask('What is the capital of France?')
       console.log(text)
       await node.close()`,
    )
    const { stdout } = await execute(process.execPath, ['main.js'], { cwd: project })
    expect(stdout).toContain('Paris')
    expect(statSync(join(project, 'data')).isDirectory()).toBe(true)
  })

  it('brings its command', async () => {
    const { stdout } = await execute(join(project, 'node_modules', '.bin', 'modelnet'), ['--version'])
    expect(stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/)
  })

  it('brings a command that runs a node and asks it, and the licences of what was put into it', async () => {
    const installed = join(project, 'node_modules/modelnet')
    const node = await startNode(['--model', 'geography'], {}, join(installed, 'bin/modelnet.js'))
    try {
      const { out } = await run(['ask', '--url', node.gateway, 'What is the capital of France?', '--json'])
      expect(JSON.parse(out)).toMatchObject({ answer: 'Paris' })
    } finally {
      await node.stop()
    }
    expect(readFileSync(join(installed, 'dist/program/LICENCES.txt'), 'utf8')).toContain('== libp2p ')
  })
})
