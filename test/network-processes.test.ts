import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'

interface Peer {
  readonly nodeId: string
  readonly state: string
  readonly cards: readonly string[]
}
interface Message {
  readonly nodeId?: string
  readonly addresses?: readonly string[]
  readonly peers?: readonly Peer[]
}
interface Process {
  readonly child: ChildProcess
  readonly nodeId: string
  readonly address: string
  /** Resolves to the milliseconds waited when the peers it reports fulfil the condition. */
  until(condition: (peers: readonly Peer[]) => boolean): Promise<number>
}

const script = fileURLToPath(new URL('./support/network-node.ts', import.meta.url))
const children: ChildProcess[] = []

async function start(name: string, ...bootstrap: string[]): Promise<Process> {
  const child = spawn(process.execPath, ['--import', 'tsx', script, name, ...bootstrap], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const listeners = new Set<() => void>()
  let peers: readonly Peer[] = []
  const lines = createInterface({ input: child.stdout })
  const first = once(lines, 'line')
  lines.on('line', line => {
    peers = (JSON.parse(line) as Message).peers ?? peers
    for (const listener of listeners) listener()
  })
  const { nodeId = '', addresses = [] } = JSON.parse(String((await first)[0])) as Message
  return {
    child,
    nodeId,
    address: addresses[0] ?? '',
    async until(condition) {
      const start = performance.now()
      await new Promise<void>(resolve => {
        const check = (): void => {
          if (!condition(peers)) return
          listeners.delete(check)
          resolve()
        }
        listeners.add(check)
        check()
      })
      return performance.now() - start
    },
  }
}

const shows =
  (node: Process, state: string, ...cards: string[]) =>
  (peers: readonly Peer[]): boolean =>
    peers.some(peer => peer.nodeId === node.nodeId && peer.state === state && peer.cards.join() === cards.join())

/** Each is below 2 s on a machine of its own (`benchmarks/network/liveness.ts`); tests run beside other work. */
const PATIENCE_MS = 12_000

describe('nodes as processes of their own', { timeout: 120_000 }, () => {
  afterEach(async () => {
    await Promise.all(
      children.splice(0).map(async child => {
        if (child.exitCode !== null || child.signalCode !== null) return
        child.kill('SIGKILL')
        await once(child, 'exit')
      }),
    )
  })

  it('see each other soon after the start of the second, notice its death, and end when asked to stop', async () => {
    const one = await start('one')
    const two = await start('two', one.address)
    expect(await two.until(shows(one, 'alive', 'one'))).toBeLessThan(PATIENCE_MS)
    expect(await one.until(shows(two, 'alive', 'two'))).toBeLessThan(PATIENCE_MS)
    const three = await start('three', two.address)
    await one.until(shows(three, 'alive', 'three'))
    two.child.kill('SIGKILL')
    const noticed = await Promise.all(
      [one, three].map(node =>
        node.until(peers => peers.some(peer => peer.nodeId === two.nodeId && peer.state !== 'alive')),
      ),
    )
    expect(Math.max(...noticed)).toBeLessThan(PATIENCE_MS)
    const exit = once(three.child, 'exit')
    three.child.kill('SIGTERM')
    expect((await exit)[0]).toBe(0)
    await one.until(shows(three, 'left', 'three'))
  })
})
