import { randomUUID } from 'node:crypto'
import type { Coordinator } from '../interaction/index.ts'
import type { Tracing } from '../utils/tracing.ts'
import type { Asker } from './gateway/chat.ts'
import type { ListedStrategy } from './gateway/server.ts'

/** Each request as a span. */
export const traced =
  (ask: Asker, tracing: Tracing): Asker =>
  (request, signal) =>
    tracing.follow('modelnet.request', { 'modelnet.pathway': request.model }, () => ask(request, signal))

/** The gateway's view of the coordinator: `modelnet/auto` is the automatic choice, `modelnet/vote` the strategy `vote`. */
export function toAsker(coordinator: Pick<Coordinator, 'ask'>, { strategies: known }: Coordinator): Asker {
  const strategies = new Set(['auto', ...known.map(strategy => strategy.name)])
  return (request, signal) => {
    const short = request.model.startsWith('modelnet/') ? request.model.slice('modelnet/'.length) : ''
    const pathway = strategies.has(short) ? short : request.model
    return coordinator.ask({ id: randomUUID(), ...request.task }, { pathway, signal })
  }
}

/** Every strategy with the worst case of its example; a bound that needs models there are not is left out. */
export const listStrategies = (coordinator: Coordinator): readonly ListedStrategy[] =>
  coordinator.strategies.map(({ name, description, needs, example }) => {
    const { calls, depth } = coordinator.inspect(example).bound
    return { name, description, needs, example, bound: { calls, depth } }
  })
