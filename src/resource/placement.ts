/** What a model asks of a machine. */
export interface ModelNeed {
  readonly id: string
  readonly bytes: number
}

/** A node that would take a model. */
export interface ModelHost {
  readonly id: string
  /** Memory it gives to further models. */
  readonly freeBytes: number
  /** Calls running and waiting there. */
  readonly load: number
  /** Ids of models whose weights lie there already. */
  readonly cached: readonly string[]
}

/** Memory that belongs to a model: before it is loaded the system does not see it. */
export interface HeldMemory {
  readonly bytes: number
  readonly loaded: boolean
}

/** The engine, its buffers, and what a worker process takes before it has a model. */
const ENGINE_BYTES: number = 96 * 1024 * 1024
/** Left to the system: a machine that swaps serves nobody. */
const SPARE_SHARE = 0.05

/**
 * Bytes a model takes when it runs: weights, cache of keys and values, engine. The cache is estimated from the number
 * of parameters P, as the file is not there yet when the place is chosen: 12 L d^2 = P with the usual shape d = 128 L
 * and two caches of 16-bit numbers, without shared heads, so it is an upper bound for most models. (7e9 parameters:
 * 0.55 MB a token; Llama 2 7B takes 0.52.)
 */
export function memoryOf(model: {
  readonly weightsBytes: number
  readonly parameters?: number
  /** Tokens of one sequence. */
  readonly contextLength: number
  readonly concurrency: number
}): number {
  // Without a count: an 8-bit file has one byte for each parameter, smaller ones have more parameters.
  const parameters = model.parameters ?? 2 * model.weightsBytes
  const width = Math.cbrt((parameters * 128) / 12)
  const cacheBytes = ((4 * width * width) / 128) * model.contextLength * model.concurrency
  return Math.ceil(model.weightsBytes * 1.05 + cacheBytes + ENGINE_BYTES)
}

/**
 * Memory a machine can give to further models: within its budget for models, and within what is available now, from
 * which models that are still being loaded will yet take their part.
 */
export function freeFor(machine: {
  readonly budgetBytes: number
  readonly totalBytes: number
  readonly availableBytes: number
  readonly held: readonly HeldMemory[]
}): number {
  const sum = (held: readonly HeldMemory[]): number => held.reduce((total, { bytes }) => total + bytes, 0)
  const inBudget = machine.budgetBytes - sum(machine.held)
  const available =
    machine.availableBytes - SPARE_SHARE * machine.totalBytes - sum(machine.held.filter(({ loaded }) => !loaded))
  return Math.max(0, Math.floor(Math.min(inBudget, available)))
}

/**
 * Chooses a host for each model, largest first; a model that fits nowhere has none. No host is given more than it has
 * free. Where the weights lie already goes first, as nothing need travel; then the idlest; then the one with most room.
 */
export function place(models: readonly ModelNeed[], hosts: readonly ModelHost[]): ReadonlyMap<string, string> {
  const free = new Map(hosts.map(host => [host.id, host.freeBytes]))
  const given = new Map<string, number>()
  const placed = new Map<string, string>()
  for (const { id, bytes } of models.toSorted((a, b) => b.bytes - a.bytes || a.id.localeCompare(b.id))) {
    const rank = (host: ModelHost): readonly number[] => [
      host.cached.includes(id) ? 0 : 1,
      host.load + (given.get(host.id) ?? 0),
      -(free.get(host.id) ?? 0),
    ]
    const [best] = hosts
      .filter(host => (free.get(host.id) ?? 0) >= bytes)
      .map(host => ({ host, rank: rank(host) }))
      .toSorted((a, b) => compare(a.rank, b.rank) || a.host.id.localeCompare(b.host.id))
    if (!best) continue
    placed.set(id, best.host.id)
    free.set(best.host.id, (free.get(best.host.id) ?? 0) - bytes)
    given.set(best.host.id, (given.get(best.host.id) ?? 0) + 1)
  }
  return placed
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index])
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
}
