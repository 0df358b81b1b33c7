import { startInferenceProcess } from '../../resource/inference-process.ts'
import { isAbortError } from '../../utils/errors.ts'
import type { ConfigInput, ModelConfig } from '../config-schema.ts'
import type { Node } from '../node.ts'
import { paint, shortId, type Terminal } from '../terminal.ts'
import { untilStopped } from './until-stopped.ts'

export interface ServeOptions {
  readonly config?: string
  readonly name?: string
  readonly dataDir?: string
  readonly listen?: readonly string[]
  readonly bootstrap?: readonly string[]
  readonly host?: string
  readonly port?: number
  readonly mdns?: boolean
  /** Shipped names, GGUF files or server URLs. */
  readonly model?: readonly string[]
  readonly logLevel?: string
  /** Fields of the configuration as `network.relay=true`. */
  readonly set?: readonly string[]
  /** Also stop when standard input ends. */
  readonly untilStdinEnds?: boolean
  readonly json?: boolean
}

/** `modelnet serve`: runs one node until it is told to stop; says its addresses first, as one line of JSON with `json`. */
export async function serve(options: ServeOptions, terminal: Terminal): Promise<void> {
  // Loading llama.cpp and loading libp2p take half a second of a core each: side by side, as soon as it is known.
  const named = options.model?.map(toModelConfig) ?? []
  let inference = named.some(needsInference) ? startInferenceProcess() : undefined
  try {
    const { loadConfig } = await import('../config.ts')
    const config = loadConfig({
      ...(options.config !== undefined && { file: options.config }),
      overrides: toOverrides(options),
      ...(options.set && { settings: options.set }),
    })
    if (config.models.some(needsInference)) inference ??= startInferenceProcess()
    const stopped = untilStopped({ stdin: options.untilStdinEnds ?? false })
    const { createNode } = await import('../node.ts')
    const starting = createNode(config, { signal: stopped.signal, ...(inference && { inference }) })
    const node = await starting.catch(error => {
      if (stopped.signal.aborted && isAbortError(error)) return undefined // what it had begun is closed
      throw error
    })
    if (!node) return
    try {
      introduce(node, config.name, options.json ?? false, terminal)
      await Promise.race([stopped.promise, node.left])
      if (!options.json)
        terminal.err(paint(terminal, 'dim', '  leaves when its answers are told; Ctrl-C again ends it at once\n'))
    } finally {
      process.stdin.destroy() // else it keeps the process alive
      await node.close()
    }
  } finally {
    inference?.kill('SIGKILL') // gone by now, if the node took it
  }
}

function introduce(node: Node, name: string, json: boolean, terminal: Terminal): void {
  if (json) {
    const { id, gatewayUrl: gateway, addresses, models } = node
    terminal.out(`${JSON.stringify({ type: 'ready', node: id, gateway, addresses, models })}\n`)
    return
  }
  const models = node.models.join(', ') || 'no model of its own'
  terminal.out(`${paint(terminal, 'bold', name)} ${shortId(node.id)} serves ${models}\n`)
  terminal.out(`  gateway  ${node.gatewayUrl}/v1\n`)
  for (const address of node.addresses) terminal.out(`  peer     ${address}\n`)
  terminal.out(paint(terminal, 'dim', `  join it: modelnet serve --port 0 --bootstrap ${node.addresses[0] ?? ''}\n`))
  const suspects = new Set<string>()
  node.directory.onChange(({ type, nodeId }) => {
    if (nodeId === node.id) return
    const isBack = type === 'node-update' && suspects.has(nodeId) && node.directory.entry(nodeId)?.state === 'alive'
    if (type === 'node-update' && !isBack) return
    if (type === 'node-suspect') suspects.add(nodeId)
    else suspects.delete(nodeId)
    terminal.err(paint(terminal, 'dim', `  ${isBack ? 'back' : type.replace('node-', '')} ${shortId(nodeId)}\n`))
  })
}

const needsInference = ({ url, engine = 'llama.cpp' }: ModelConfig): boolean =>
  url === undefined && engine === 'llama.cpp'

/** Flags as configuration; what is absent stays with the file and the environment. */
export function toOverrides(options: ServeOptions): ConfigInput {
  const network = {
    ...(options.listen?.length && { listen: options.listen }),
    ...(options.bootstrap?.length && { bootstrap: options.bootstrap }),
    ...(options.mdns !== undefined && { mdns: options.mdns }),
  }
  const gateway = {
    ...(options.host !== undefined && { host: options.host }),
    ...(options.port !== undefined && { port: options.port }),
  }
  return {
    ...(options.name !== undefined && { name: options.name }),
    ...(options.dataDir !== undefined && { dataDir: options.dataDir }),
    ...(options.logLevel !== undefined && { logLevel: options.logLevel as NonNullable<ConfigInput['logLevel']> }), // checked by the schema
    ...(options.model?.length && { models: options.model.map(toModelConfig) }),
    network,
    gateway,
  }
}

/** `geography` is shipped, `./x.gguf` a file, `http://…/v1#name` a server and the model's name there. */
export function toModelConfig(text: string): ModelConfig {
  if (/^https?:/.test(text)) {
    const [url = text, remoteModel] = text.split('#')
    return { url, ...(remoteModel && { remoteModel }) }
  }
  return text.endsWith('.gguf') || text.includes('/') ? { file: text } : { shipped: text }
}
