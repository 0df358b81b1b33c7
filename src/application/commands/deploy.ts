import { z } from 'zod'
import { type ClientOptions, getJson, postJson } from '../client.ts'
import { duration, printable, shortId, type Terminal, table } from '../terminal.ts'

export interface DeployOptions extends ClientOptions {
  readonly model: string
  readonly node?: string
  readonly json?: boolean
}

const DeployedSchema = z.object({
  id: z.string(),
  node: z.string(),
  movedBytes: z.number(),
  started: z.boolean(),
})

const ResourcesSchema = z.object({
  node: z.string(),
  devices: z.object({
    cpu: z.object({ name: z.string(), cores: z.number(), load: z.number() }),
    memory: z.object({ totalBytes: z.number(), availableBytes: z.number() }),
    gpus: z.array(z.object({ name: z.string(), totalBytes: z.number(), freeBytes: z.number() })),
  }),
  models: z.array(
    z.looseObject({
      id: z.string(),
      engine: z.string(),
      running: z.number(),
      queued: z.number(),
      slots: z.number(),
      tokensPerSecond: z.number(),
      weightsBytes: z.number().optional(),
      memoryBytes: z.number().optional(),
    }),
  ),
  weights: z.object({ bytes: z.number(), quotaBytes: z.number(), files: z.number() }),
  deploy: z.object({ allow: z.boolean(), share: z.boolean() }),
})

/** `modelnet deploy`: starts a model on the most suitable node, or on the one named, and says where and what it took. */
export async function deploy(options: DeployOptions, terminal: Terminal): Promise<void> {
  const { model, node } = options
  const began = performance.now()
  const body = await postJson('/modelnet/deploy', { model, ...(node !== undefined && { node }) }, options)
  if (options.json) return terminal.out(`${JSON.stringify(body)}\n`)
  const deployed = DeployedSchema.parse(body)
  const where = `${printable(deployed.id)} runs on ${shortId(deployed.node)}`
  const took = `${duration(performance.now() - began)}, ${size(deployed.movedBytes)} from peers`
  terminal.out(deployed.started ? `${where} (${took})\n` : `${where} already\n`)
}

/** `modelnet resources`: what one node has, and how much of it is in use. */
export async function listResources(
  options: ClientOptions & { readonly json?: boolean },
  terminal: Terminal,
): Promise<void> {
  const body = await getJson('/modelnet/resources', options)
  if (options.json) return terminal.out(`${JSON.stringify(body, null, 2)}\n`)
  const { node, devices, models, weights, deploy: policy } = ResourcesSchema.parse(body)
  const { cpu, memory, gpus } = devices
  terminal.out(
    table(terminal, [
      ['node', shortId(node)],
      ['processors', `${cpu.cores} x ${printable(cpu.name)}, load ${cpu.load.toFixed(1)}`],
      ['memory', `${size(memory.availableBytes)} of ${size(memory.totalBytes)} available`],
      ...gpus.map(gpu => ['GPU', `${printable(gpu.name)}, ${size(gpu.freeBytes)} of ${size(gpu.totalBytes)} free`]),
      ['weights', `${weights.files} files of peers, ${size(weights.bytes)} of ${size(weights.quotaBytes)}`],
      ['deployment', `${policy.allow ? 'starts' : 'does not start'} models for the network`],
      ['', `${policy.share ? 'gives' : 'does not give'} weights to peers`],
    ]),
  )
  if (models.length === 0) return
  const rows = models.map(model => [
    printable(model.id),
    printable(model.engine),
    `${model.running}+${model.queued} of ${model.slots}`,
    model.tokensPerSecond > 0 ? `${model.tokensPerSecond.toFixed(0)} token/s` : '-',
    model.weightsBytes === undefined ? '-' : size(model.weightsBytes),
    model.memoryBytes === undefined ? 'configured' : `deployed, ${size(model.memoryBytes)}`,
  ])
  terminal.out(`\n${table(terminal, [['model', 'engine', 'running+queued', 'speed', 'weights', 'memory'], ...rows])}`)
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

function size(bytes: number): string {
  const unit = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)))
  const value = bytes / 1000 ** unit
  return `${value < 10 && unit > 0 ? value.toFixed(1) : value.toFixed(0)} ${UNITS[unit]}`
}
