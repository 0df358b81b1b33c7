import type { GeneratePart, GenerateRequest } from '../../protocol/index.ts'
import type { Deadline } from '../../utils/deadline.ts'
import { ModelNetError, toModelNetError } from '../../utils/errors.ts'
import type { CallOutcome } from '../call-record.ts'
import type { FailoverComponents, FailoverOptions } from '../failover-model.ts'
import { type Candidate, loadOf } from '../matching.ts'
import { canMoveOn, isServerFault } from './faults.ts'
import type { RetryHint } from './retry-hint.ts'

/** One request at one candidate, or at two when the first is late: the parts of whichever answers first. */
export interface Attempt extends AsyncIterable<GeneratePart> {
  /** Candidates that failed so far in this attempt. */
  failed(): readonly Candidate[]
}

export interface RaceComponents extends FailoverComponents {
  /** Told who answers, and what became of the first that was asked where that is another: see `SwitchEvent.code`. */
  readonly onServe: (candidate: Candidate, code: string) => void
  readonly hint: RetryHint
}

interface Running {
  readonly candidate: Candidate
  readonly controller: AbortController
  readonly iterator: AsyncIterator<GeneratePart>
  /** Rejects when the call is aborted: a peer that ignores its signal cannot hold us. */
  readonly aborted: Promise<never>
  readonly first: Promise<First>
  readonly end: (outcome?: CallOutcome) => void
  readonly startedAt: number
  lastPartAt: number
}

type First = { readonly running: Running; readonly result?: IteratorResult<GeneratePart>; readonly error?: unknown }

/** Ends what still runs of a call; made once, as every call ends and an error takes its stack. */
const OVER = new ModelNetError('CANCELLED', 'the call is over, or another candidate answers')

export function raceAttempts(
  holders: readonly Candidate[],
  request: GenerateRequest,
  deadline: Deadline,
  components: RaceComponents,
  options: FailoverOptions,
): Attempt {
  const { clock, breakers, calls, onServe, hint } = components
  const { stallMs = 20_000, hedgeQuantile = 0.95, minHedgeMs = 50 } = options
  const waiting = [...holders]
  const failed: Candidate[] = []
  let leaderFailure: string | undefined

  function start(from: readonly Candidate[] = waiting): Running | undefined {
    const [candidate, ...others] = from
    if (!candidate) return undefined
    waiting.splice(waiting.indexOf(candidate), 1)
    if (breakers?.enter(candidate.name) === false) return start(others)
    const controller = new AbortController()
    const onAbort = (): void => controller.abort(deadline.signal.reason)
    if (deadline.signal.aborted) onAbort()
    else deadline.signal.addEventListener('abort', onAbort, { once: true })
    const aborted = new Promise<never>((_, reject) =>
      controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true }),
    )
    aborted.catch(() => deadline.signal.removeEventListener('abort', onAbort))
    const left = deadline.left()
    const iterator = candidate.model
      .generate(request, { signal: controller.signal, ...(Number.isFinite(left) ? { deadlineMs: left } : {}) })
      [Symbol.asyncIterator]()
    const startedAt = clock.monotonic()
    const firstOf = async (): Promise<IteratorResult<GeneratePart>> => {
      for (;;) {
        const result = await iterator.next()
        if (result.done || !isSignOfLife(result.value)) return result
        running.lastPartAt = clock.monotonic()
      }
    }
    const first: Promise<First> = Promise.race([firstOf(), aborted]).then(
      result => ({ running, result }),
      error => ({ running, error }),
    )
    const end = calls?.begin(candidate.name, candidate.load) ?? (() => undefined)
    const running: Running = { candidate, controller, iterator, aborted, first, end, startedAt, lastPartAt: startedAt }
    watch(running)
    return running
  }

  /** One timer per silence, not one per part. */
  function watch(running: Running): void {
    const rest = running.lastPartAt + stallMs - clock.monotonic()
    if (rest <= 0) {
      const message = `no part from ${running.candidate.name} within ${stallMs} ms`
      running.controller.abort(new ModelNetError('PEER_LOST', message))
      return
    }
    clock.sleep(rest, running.controller.signal).then(
      () => watch(running),
      () => undefined, // the call is over
    )
  }

  function release(running: Running): void {
    running.end()
    running.controller.abort(OVER)
    running.iterator.return?.()?.catch(() => undefined)
  }

  /** The holder puts its things away before its signal ends, or a connection that could serve again would be cut. */
  function complete({ iterator, controller }: Running): void {
    const returned = iterator.return?.() ?? Promise.resolve()
    returned.then(undefined, () => undefined).finally(() => controller.abort(OVER))
  }

  function cancel(running: Running): void {
    breakers?.leave(running.candidate.name)
    release(running)
  }

  /** Books a failure and gives it back as an error of ours. */
  function fail(running: Running, cause: unknown): ModelNetError {
    const error = toModelNetError(cause, 'ENGINE_FAILED')
    const { name } = running.candidate
    if (!deadline.signal.aborted && isServerFault(error)) breakers?.fail(name)
    else breakers?.leave(name)
    hint.note(error)
    failed.push(running.candidate)
    release(running)
    return error
  }

  /** The first part of whoever gives one first. */
  async function firstPart(racing: Running[]): Promise<First> {
    const leader = racing[0]
    const late = leader && calls?.firstPartMs(leader.candidate.name, hedgeQuantile)
    const hedges: Promise<'hedge'>[] = []
    let timer: AbortController | undefined
    const equals = leader ? waiting.filter(other => isEqual(other, leader.candidate)) : []
    const [second] = equals
    if (late !== undefined && hedgeQuantile < 1 && second) {
      timer = new AbortController()
      // Where the second is busy itself, a copy there helps less and costs others more.
      const hedge = clock.sleep(Math.max(minHedgeMs, late) * loadOf(second), timer.signal).then(() => 'hedge' as const)
      hedge.catch(() => undefined) // the first part came in time
      hedges.push(hedge)
    }
    try {
      while (true) {
        const event = await Promise.race([...racing.map(({ first }) => first), ...hedges])
        if (event === 'hedge') {
          hedges.length = 0
          const running = start(equals)
          if (running) racing.push(running)
          continue
        }
        if (event.error === undefined) return event
        const error = fail(event.running, event.error)
        if (event.running === leader) leaderFailure = error.code
        racing.splice(racing.indexOf(event.running), 1)
        if (racing.length === 0 || !canMoveOn(error)) throw error
      }
    } finally {
      timer?.abort(OVER)
    }
  }

  async function* parts(): AsyncGenerator<GeneratePart> {
    const leader = start()
    if (!leader) throw new ModelNetError('NO_CANDIDATE', 'every candidate has an open circuit')
    const racing = [leader]
    try {
      const { running, result } = await firstPart(racing)
      onServe(running.candidate, leaderFailure ?? (running === leader ? 'SKIPPED' : 'OUTRUN'))
      for (const other of racing.splice(0))
        if (other !== running) {
          // or a slow node that is always outrun would never be seen to be slow
          other.end({ outrun: true })
          cancel(other)
        }
      racing.push(running)
      const firstPartMs = clock.monotonic() - running.startedAt
      let current = result
      let parts = 0
      while (current && !current.done) {
        running.lastPartAt = clock.monotonic()
        const part = current.value
        if (part.type === 'finish') {
          if (part.reason === 'cancelled' && !deadline.signal.aborted)
            throw new ModelNetError('PEER_LOST', `${running.candidate.name} stopped before the end of its answer`)
          breakers?.succeed(running.candidate.name)
          running.end({ firstPartMs, parts, completionTokens: part.usage.completionTokens })
          racing.length = 0
          complete(running)
          yield part
          return
        }
        parts++
        yield part
        // time the reader takes is not silence of the peer
        running.lastPartAt = clock.monotonic()
        current = await Promise.race([running.iterator.next(), running.aborted])
      }
      throw new ModelNetError('PROTOCOL_ERROR', `${running.candidate.name} ended its answer without a finish part`)
    } catch (error) {
      const [running] = racing.splice(0, 1)
      if (!running || failed.includes(running.candidate)) throw error
      throw fail(running, error)
    } finally {
      for (const running of racing) cancel(running)
    }
  }

  return { [Symbol.asyncIterator]: parts, failed: () => failed }
}

/** Empty text before the first part: the call waits for its turn at a node that lives. */
const isSignOfLife = (part: GeneratePart): boolean => part.type === 'text-delta' && part.text === '' && !part.logprobs

/** Abilities this close are the same for a hedge: it must not trade a right answer for an early one. */
const EQUAL_ABILITY = 0.02

const isEqual = (other: Candidate, leader: Candidate): boolean =>
  other.model.card.id === leader.model.card.id || other.ability.mean >= leader.ability.mean - EQUAL_ABILITY
