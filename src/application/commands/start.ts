import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAbortError, ModelNetError, toModelNetError } from '../../utils/errors.ts'
import { askAndShow } from '../ask-view.ts'
import { getJson } from '../client.ts'
import { DEFAULT_PORT } from '../defaults.ts'
import { type LocalNetwork, type LocalNodePlan, startLocalNetwork } from '../local-network.ts'
import { shippedModels } from '../shipped-models.ts'
import { duration, paint, shortId, type Terminal } from '../terminal.ts'
import { untilStopped } from './until-stopped.ts'

export interface StartOptions {
  readonly port?: number
  readonly dataDir?: string
  /** Nodes started by hand on this machine find this network without its address. @default true */
  readonly mdns?: boolean
  /** Ask the questions, then stop. */
  readonly exit?: boolean
  readonly json?: boolean
}

/** Who runs where in the network that `modelnet start` makes; the first node is the one that is asked. */
const PLANS: readonly LocalNodePlan[] = [
  { name: 'generalist', models: ['generalist', 'planner', 'reviewer'] },
  { name: 'arithmetic', models: ['arithmetic-a', 'arithmetic-b'] },
  { name: 'geography', models: ['geography'] },
  { name: 'elements', models: ['elements'] },
  { name: 'words', models: ['words'] },
  { name: 'calendar', models: ['calendar', 'units', 'logic'] },
]

/** Questions of different kinds; with `model`, a pathway chosen by hand. */
const QUESTIONS: readonly { readonly question: string; readonly model?: string }[] = [
  { question: 'What is the capital of Portugal?' },
  { question: 'What is 58 plus 27?' },
  { question: 'How many letters are in the word network?' },
  { question: 'What is the atomic number of iron plus the number of letters in the capital of France?' },
  { question: 'What is 34 plus 48?', model: 'arithmetic-a + arithmetic-b' },
]

const JOIN_TIMEOUT_MS = 30_000

/** `modelnet start`: a network of the shipped models on this machine, asked a few questions; stays up until Ctrl-C. */
export async function start(options: StartOptions, terminal: Terminal): Promise<void> {
  const stopped = untilStopped()
  const say = (text: string): void => (options.json ? undefined : terminal.out(text))
  const tell = (event: object): void => (options.json ? terminal.out(`${JSON.stringify(event)}\n`) : undefined)
  const plans = availablePlans()
  const begin = performance.now()
  say(
    `\n  ${paint(terminal, 'bold', 'ModelNet')}: ${plans.length} nodes on this machine, each with models of its own\n\n`,
  )
  let network: LocalNetwork | undefined
  try {
    network = await startLocalNetwork({
      plans,
      dataDir: options.dataDir ?? join(homedir(), '.modelnet', 'local'),
      port: options.port ?? DEFAULT_PORT,
      mdns: options.mdns ?? true,
      signal: stopped.signal,
      onReady: node => {
        tell({ type: 'node', ...node })
        const name = node.name.padEnd(11)
        say(
          `  ${paint(terminal, 'green', '●')} ${name} ${paint(terminal, 'dim', shortId(node.node))}  ${node.models.join(', ')}  ${paint(terminal, 'dim', duration(node.ms))}\n`,
        )
      },
      onExit: (name, reason) => terminal.err(`  ! the node ${name} ended: ${reason}\n`),
    })
    const url = network.nodes[0]?.gateway ?? ''
    await untilJoined(url, plans.length, stopped.signal)
    tell({ type: 'joined', nodes: plans.length, gateway: url, ms: Math.round(performance.now() - begin) })
    say(
      `\n  all found one another after ${duration(performance.now() - begin)}; gateway ${paint(terminal, 'underline', `${url}/v1`)}\n`,
    )
    for (const { question, model } of QUESTIONS) {
      say(
        `\n  ${paint(terminal, 'dim', '?')} ${question}${model === undefined ? '' : paint(terminal, 'dim', `   (${model})`)}\n`,
      )
      const asked = { url, question, signal: stopped.signal, ...(model !== undefined && { model }) }
      tell({ type: 'answer', ...(await askAndShow(asked, options.json ? undefined : terminal)) })
    }
    if (options.exit) return
    say(hints(terminal, url))
    await stopped.promise
  } catch (error) {
    if (!(stopped.signal.aborted && isAbortError(toModelNetError(error)))) throw error
  } finally {
    say(paint(terminal, 'dim', '\n  stopping every node …'))
    await network?.stop()
    say(paint(terminal, 'dim', ' done\n'))
  }
}

function availablePlans(): readonly LocalNodePlan[] {
  const shipped = new Set(shippedModels().map(model => model.name))
  const plans = PLANS.map(plan => ({ ...plan, models: plan.models.filter(model => shipped.has(model)) }))
  return plans.filter(plan => plan.models.length > 0)
}

/** Waits until the asked node sees every node alive, with its models. */
async function untilJoined(url: string, count: number, signal: AbortSignal): Promise<void> {
  const end = performance.now() + JOIN_TIMEOUT_MS
  while (performance.now() < end) {
    const body = (await getJson('/modelnet/peers', { url, signal })) as {
      nodes: { state: string; models: string[] }[] // our own gateway, started by us a moment ago
    }
    if (body.nodes.filter(node => node.state === 'alive' && node.models.length > 0).length >= count) return
    await sleep(50, undefined, { signal })
  }
  throw new ModelNetError(
    'DEADLINE_EXCEEDED',
    `the ${count} nodes did not find one another within ${JOIN_TIMEOUT_MS / 1000} s`,
  )
}

function hints(terminal: Terminal, url: string): string {
  const body = '{"model":"modelnet/auto","messages":[{"role":"user","content":"What is the capital of Japan?"}]}'
  const lines = [
    '',
    paint(terminal, 'bold', 'Try next'),
    `curl ${url}/v1/chat/completions -H 'content-type: application/json' -d '${body}'`,
    'node bin/modelnet.js ask "What is 17 plus 25?"',
    'node bin/modelnet.js peers',
    'node bin/modelnet.js serve --port 0 --model ./my-model.gguf   (in another terminal: joins this network)',
    paint(terminal, 'dim', 'Ctrl-C stops every node.'),
    '',
  ]
  return lines
    .map(line => `  ${line}`.trimEnd())
    .join('\n')
    .concat('\n')
}
