import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { eventually, finalAnswer, peersOf, program, run, startNode, temporaryDirectory } from './support/processes.ts'

interface Line {
  readonly type: string
  readonly pid?: number
  readonly node?: string
  readonly question?: string
  readonly answer?: string
  readonly members?: readonly { readonly node: string }[]
}

const linesOf = (text: string): readonly Line[] =>
  text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Line)

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('a command that is stopped while it starts', () => {
  it.each([
    ['start', ['--no-mdns', '--port', '0'], 'geography'],
    ['serve', ['--no-mdns', '--port', '0', '--model', 'geography'], '.'],
  ])('ends modelnet %s with status 0 and in silence', async (command, args, nodeDir) => {
    const dataDir = temporaryDirectory()
    const child = spawn(process.execPath, [program, command, ...args, '--data-dir', dataDir], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let err = ''
    child.stderr.on('data', chunk => {
      err += String(chunk)
    })
    const exited = once(child, 'exit')
    // it has read its configuration, and is not yet ready
    await eventually(
      async () => existsSync(join(dataDir, nodeDir, 'identity.pem')),
      exists => exists,
      60_000,
    )
    child.kill('SIGINT')
    expect(await exited).toEqual([0, null])
    expect(err).not.toContain('error')
  })
})

describe('modelnet start', () => {
  it('starts at least five nodes, asks them questions of different kinds, and stops them with status 0', async () => {
    const own = ['--no-mdns', '--port', '0', '--data-dir', temporaryDirectory()]
    const { code, out } = await run(['start', '--exit', '--json', ...own])
    const lines = linesOf(out)
    const nodes = lines.filter(line => line.type === 'node')
    expect(nodes.length).toBeGreaterThanOrEqual(5)
    expect(new Set(nodes.map(line => line.node)).size).toBe(nodes.length)
    const answers = lines.filter(line => line.type === 'answer')
    expect(
      Object.fromEntries(answers.map(({ question, answer }) => [question, finalAnswer(answer ?? '')])),
    ).toMatchObject({
      'What is the capital of Portugal?': 'Lisbon',
      'What is 58 plus 27?': '85',
      'What is the atomic number of iron plus the number of letters in the capital of France?': '31',
    })
    expect(new Set(answers.flatMap(line => line.members?.map(member => member.node) ?? [])).size).toBeGreaterThan(3)
    expect(code).toBe(0)
    for (const { pid = 0 } of nodes) expect(isRunning(pid)).toBe(false)
  })

  it('is joined by a node started by hand without an address, and leaves no node behind when it is killed', async () => {
    const args = ['start', '--json', '--port', '0', '--data-dir', temporaryDirectory()]
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
    let out = ''
    child.stdout.on('data', chunk => {
      out += String(chunk)
    })
    await eventually(
      async () => out,
      text => text.includes('"joined"'),
      100_000,
    )
    const started = linesOf(out.slice(0, out.lastIndexOf('\n')))
    const ours = started.flatMap(line => line.node ?? [])
    const byHand = await startNode(['--mdns', '--model', 'geography'])
    try {
      await eventually(
        () => peersOf(byHand),
        ({ nodes }) => ours.every(id => nodes.some(({ node, state }) => node === id && state === 'alive')),
        30_000,
      )
    } finally {
      await byHand.stop()
      child.kill('SIGKILL')
    }
    const pids = started.flatMap(line => line.pid ?? [])
    await eventually(
      async () => pids.filter(isRunning),
      running => running.length === 0,
      30_000,
    )
  })
})
