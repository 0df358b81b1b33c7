import { AUTO, type Coordinator, type NetworkEmbedder } from '../interaction/index.ts'
import { type NetworkDirectory, toModelTag } from '../network/index.ts'
import type { Task, TaskAnalyser } from '../service/index.ts'

export interface DiscoveryComponents {
  readonly inspect: Coordinator['inspect']
  readonly analyser: TaskAnalyser
  readonly directory: Pick<NetworkDirectory, 'mode' | 'seek'>
}

/** Skills a question is likely to need; more would make a search of each request. */
const MAX_SKILLS = 3

/**
 * The same coordinator in a network too large to know everyone: before a request it looks for nodes that offer what the
 * request names or its analysis finds in it. Costs nothing where all members are known or partners have it already.
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
  return {
    async *ask(task, options = {}) {
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
  return async (model, texts, options) => {
    if (directory.mode === 'ads') await directory.seek([toCapability(model) ?? 'can:embed'], options?.signal)
    return embed(model, texts, options)
  }
}

/** `@arithmetic` as `skill:arithmetic`, `model@node` as `model:…`; undefined for `*`. */
function toCapability(reference: string): string | undefined {
  if (reference === '*') return undefined
  if (reference.startsWith('@')) return reference.includes(':') ? reference.slice(1) : `skill:${reference.slice(1)}`
  return toModelTag(reference.split('@')[0] ?? reference)
}
