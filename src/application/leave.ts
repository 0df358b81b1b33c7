import type { Directory } from '../network/index.ts'
import type { ModelCard } from '../resource/index.ts'
import type { Clock } from '../utils/clock.ts'

export interface RunningWork {
  readonly clock: Clock
  /** Takes no new requests of clients; resolves when all have been answered, or so many ms have passed. */
  closeGateway(mostMs: number): Promise<void>
  /** Models of this node that are answering now, whoever asked. */
  busy(): readonly ModelCard[]
  readonly directory: Pick<Directory, 'entries'>
}

export interface LeaveLimits {
  /** Calls of peers that others could go on with are waited for no longer than this. */
  readonly graceMs: number
  /** Nothing is waited for longer than this. */
  readonly mostMs: number
}

/** How often a leaving node looks whether its models are idle. */
const CHECK_MS = 20

/**
 * Lets the work of a leaving node end: resolves as soon as nothing runs. Clients of its own gateway are waited for, since
 * nobody else can answer them. Calls of peers move after a while, where another node has the same model: when the link
 * ends they go on there from the text they have.
 */
export async function finishWork(work: RunningWork, { graceMs, mostMs }: LeaveLimits): Promise<void> {
  const { clock } = work
  const since = clock.monotonic()
  let haveClients = true
  const clients = work.closeGateway(mostMs).finally(() => {
    haveClients = false
  })
  const isOver = (): boolean => {
    const passed = clock.monotonic() - since
    if (passed >= mostMs) return true
    if (haveClients) return false
    const busy = work.busy()
    return busy.length === 0 || (passed >= graceMs && busy.every(card => isElsewhere(card, work.directory)))
  }
  // One look later at least: what a peer sent before it heard that this node leaves is on its way.
  do await clock.sleep(CHECK_MS)
  while (!isOver())
  await clients
}

const isElsewhere = ({ id }: ModelCard, directory: RunningWork['directory']): boolean =>
  directory
    .entries()
    .some(
      ({ self, state, status, cards }) =>
        !self && state === 'alive' && status?.draining !== true && cards.some(card => card.id === id),
    )
