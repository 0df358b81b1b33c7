import { ModelNetError } from '../../utils/errors.ts'
import { gatewaySystem } from '../gateway-system.ts'
import type { PaperBench } from './bench.ts'
import { reference } from './terms.ts'

export interface GatewayBenchOptions {
  /** Base URL of a running gateway, without `/v1`. */
  readonly url: string
  readonly key?: string
  /** Ids of the network's models that take part. */
  readonly members: readonly string[]
}

/** Rules that a pathway can name; parameters of rules, offline members and likelihoods need models in this process. */
const RULES: ReadonlySet<string> = new Set(['gac', 'unite', 'duet', 'duet-raw', 'max', 'mean'])

/** A bench on the models of a running network, asked over HTTP as any client would. */
export function createGatewayBench({ url, key, members }: GatewayBenchOptions): PaperBench {
  const access = { url, ...(key === undefined ? {} : { key }) }
  const refuse = (what: string): never => {
    throw new ModelNetError('UNSUPPORTED', `${what} needs models in this process; leave the address of the network out`)
  }
  return {
    members,
    ask: (pathway, question, { offline, temperature = 0, ...options } = {}) =>
      offline && offline.size > 0
        ? refuse('taking members offline')
        : gatewaySystem({ ...access, model: pathway === 'auto' ? 'modelnet/auto' : pathway }).sample(question, {
            ...options,
            temperature,
          }),
    async fuse(names, { method, ...parameters }, question, options = {}) {
      if (!RULES.has(method) || Object.keys(parameters).length > 0)
        return refuse(`the fusion rule ${method} with parameters`)
      const pathway = `fuse(${names.map(reference).join(', ')}, rule=${method})`
      const answer = await this.ask(pathway, question, options)
      return { ...answer, candidates: 0, steps: 0 }
    },
    likelihood: () => Promise.resolve().then(() => refuse('the likelihood of a text')),
  }
}
