import { AUTO, type Coordinator, type NetworkEmbedder } from '../interaction/index.ts'
import { type NetworkDirectory, toModelTag } from '../network/index.ts'
import type { Task, TaskAnalyser } from '../service/index.ts'
import { raceSignal } from '../utils/race-signal.ts'

export interface DiscoveryComponents {
  readonly inspect: Coordinator['inspect']
  readonly analyser: TaskAnalyser
  readonly directory: Pick<NetworkDirectory, 'mode' | 'seek' | 'introduced'>
}

/** Skills a question is likely to need; more would make a search of each request. */
const MAX_SKILLS = 3

/**
 * The same coordinator in a network that is not all known: just started, it meets the members before it answers; in a
 * network too large to know everyone it looks for nodes that offer what the request names or its analysis finds in it.
 * Costs nothing where all members are known or partners have it already.
 */
export function withDiscovery(
  coordinator: Pick<Coordinator, 'ask'>,
  { inspect, analyser, directory }: DiscoveryComponents,
): Pick<Coordinator, 'ask'> {
  const needsOf = (task: Task, pathway: Parameters<Coordinator['inspect']>[0]): readonly string[] => {
    const skills = analyser.analyse(task).tags.slice(0, MAX_SKILLS)
    const references = pathway === AUTO ? ['*'] : inspect(pathway).bound.needs.map(({ reference }) => reference)
    const anyone = references.some(reference => reference === '*')
    const named = references.flatMap(reference => toCapability(reference) ?? [])
    return [...new Set([...named, ...(anyone ? ['can:generate', ...skills.map(({ tag }) => tag)] : [])])]
  }
  const introduction = watch(directory.introduced)
  return {
    async *ask(task, options = {}) {
      if (!introduction.isOver()) await introduction.wait(options.signal)
      if (directory.mode === 'ads') await directory.seek(needsOf(task, options.pathway ?? AUTO), options.signal)
      return yield* coordinator.ask(task, options)
    },
  }
}

/** The same for embeddings: looks for nodes that offer the named model. */
export function withEmbeddingDiscovery(
  embed: NetworkEmbedder,
  directory: DiscoveryComponents['directory'],
): NetworkEmbedder {
  const introduction = watch(directory.introduced)
  return async (model, texts, options) => {
    if (!introduction.isOver()) await introduction.wait(options?.signal)
    if (directory.mode === 'ads') await directory.seek([toCapability(model) ?? 'can:embed'], options?.signal)
    return embed(model, texts, options)
  }
}

/** Something that is over soon after the start and for ever: who comes later does not wait a turn for it. */
function watch(introduced: Promise<void>): { isOver(): boolean; wait(signal?: AbortSignal): Promise<void> } {
  let over = false
  const ending = introduced.then(() => {
    over = true
  })
  return { isOver: () => over, wait: signal => (signal ? raceSignal(ending, signal) : ending) }
}

/** `@arithmetic` as `skill:arithmetic`, `model@node` as `model:…`; undefined for `*`. */
function toCapability(reference: string): string | undefined {
  if (reference === '*') return undefined
  if (reference.startsWith('@')) return reference.includes(':') ? reference.slice(1) : `skill:${reference.slice(1)}`
  return toModelTag(reference.split('@')[0] ?? reference)
}
