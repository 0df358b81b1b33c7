import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import {
  ask,
  eventually,
  finalAnswer,
  type NodeProcess,
  peersOf,
  run,
  startNode,
  temporaryDirectory,
} from './support/processes.ts'

const nodes: NodeProcess[] = []
afterAll(async () => void (await Promise.all(nodes.map(node => node.stop()))))

/** Tests run beside other work: starting a process may take long. */
const PATIENCE_MS = 60_000
const QUESTION = 'What is the capital of France?'
const MODEL = 'lab/places'
const weights = fileURLToPath(new URL('../models/geography/geography.gguf', import.meta.url))

interface Deployed {
  readonly node: string
  readonly movedBytes: number
  readonly started: boolean
}

async function start(config: object, bootstrap: readonly NodeProcess[] = []): Promise<NodeProcess & { dir: string }> {
  const dir = temporaryDirectory()
  writeFileSync(join(dir, 'modelnet.json'), JSON.stringify(config))
  const join_ = bootstrap.flatMap(node => ['--bootstrap', node.addresses[0] ?? ''])
  const node = await startNode(['--config', join(dir, 'modelnet.json'), '--data-dir', dir, ...join_])
  nodes.push(node)
  return { ...node, dir }
}

interface Resources {
  readonly models: readonly { readonly id: string; readonly memoryBytes?: number }[]
}

/** Which nodes offer the model, as one of them sees it. */
const holders = async (node: NodeProcess): Promise<readonly string[]> =>
  (await peersOf(node)).nodes
    .filter(peer => peer.state === 'alive' && peer.models.includes(MODEL))
    .map(peer => peer.node)

async function deploy(via: NodeProcess, on?: NodeProcess): Promise<Deployed> {
  const where = on ? ['--node', on.node] : []
  const { code, out, err } = await run(['deploy', MODEL, ...where, '--json', '--url', via.gateway])
  if (code !== 0) throw new Error(err)
  return JSON.parse(out) as Deployed // our own line
}

it('brings a model from node to node, stops it when idle, and starts it again for ten who ask at once', async () => {
  const own = temporaryDirectory()
  // One byte more than the shipped file: a digest no other node has a file of.
  writeFileSync(join(own, 'places.gguf'), Buffer.concat([readFileSync(weights), Buffer.of(0)]))
  const { size } = statSync(join(own, 'places.gguf'))
  const first = await start({
    models: [{ file: join(own, 'places.gguf'), id: MODEL, tags: ['skill:geography'], contextLength: 512 }],
    deploy: { share: true },
  })
  const gateway = await start({}, [first])
  const second = await start({ deploy: { allow: true, share: true, idleMs: 8000, memoryBytes: 2e9 } }, [first])
  await eventually(
    () => holders(second),
    at => at.includes(first.node),
    PATIENCE_MS,
  )

  // Nobody may start what its operator does not allow.
  await expect(deploy(gateway, gateway)).rejects.toThrow(/deploy\.allow/)

  const brought = await deploy(gateway, second)
  expect(brought).toMatchObject({ node: second.node, started: true, movedBytes: size })
  const cached = (): readonly object[] =>
    readdirSync(join(second.dir, 'weights')).map(name => ({ name, ...statSync(join(second.dir, 'weights', name)) }))
  expect(cached()).toMatchObject([{ size }])
  await first.kill()
  expect(finalAnswer((await ask(gateway.gateway, QUESTION, MODEL)).choices[0]?.message.content ?? '')).toContain(
    'Paris',
  )

  // Nobody asks any more, so nobody runs it; the weights stay.
  await eventually(
    () => holders(gateway),
    at => at.length === 0,
    PATIENCE_MS,
  )
  const answers = await Promise.all(Array.from({ length: 10 }, () => ask(gateway.gateway, QUESTION, MODEL)))
  for (const { status, choices, modelnet } of answers) {
    expect(status).toBe(200)
    expect(choices[0]?.message.content).toContain('Paris')
    expect(modelnet.members[0]?.node).toBe(second.node)
  }
  // From its own cache, once: no second file, and nobody was left to give one.
  expect(cached()).toMatchObject([{ size }])
  const resources = (await (await fetch(`${second.gateway}/modelnet/resources`)).json()) as Resources
  expect(resources.models.map(({ id }) => id)).toEqual([MODEL])
  expect(resources.models[0]?.memoryBytes).toBeGreaterThan(size)
  // Asked for again while it runs: nothing is started. Over HTTP, as a process takes long to start on a busy machine.
  const again = await fetch(`${gateway.gateway}/modelnet/deploy`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: MODEL }),
  })
  expect(await again.json()).toEqual({ id: MODEL, node: second.node, movedBytes: 0, started: false })
}, 600_000)
