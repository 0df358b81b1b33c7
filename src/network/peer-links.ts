import { setMaxListeners } from 'node:events'
import { CHANNEL_PROTOCOL } from '../protocol/index.ts'
import type { Clock } from '../utils/clock.ts'
import { isAbortError, ModelNetError, toModelNetError } from '../utils/errors.ts'
import type { Logger } from '../utils/logger.ts'
import { raceSignal } from '../utils/race-signal.ts'
import { type AdmissionOptions, createDoor } from './admission.ts'
import type { CallHandler, CallHandlers, Channel } from './channel.ts'
import { createStreamTransport } from './channel-transports/stream.ts'
import { createChannel } from './multiplexer.ts'
import type { DialOptions, FrameStream, Network } from './network.ts'

export type LinkEvent = { readonly type: 'link-up' | 'link-down'; readonly peer: string }

/**
 * Keeps one channel open to each connected peer and lets the layers above share it, since opening a stream for a call
 * costs eight times the call.
 */
export interface PeerLinks {
  /** Serves methods on every channel, open ones included. The returned function ends that. */
  serve(handlers: CallHandlers): () => void
  /**
   * The channel to a peer, opened (and the peer dialled) when there is none. Rejects with PEER_UNREACHABLE, or with
   * UNSUPPORTED when the peer speaks no `CHANNEL_PROTOCOL`.
   */
  channel(peer: string, options?: DialOptions): Promise<Channel>
  /** The channel to a peer that is open now. */
  current(peer: string): Channel | undefined
  /** Peers a channel is open to. */
  linked(): readonly string[]
  onLink(listener: (event: LinkEvent) => void): () => void
  /** The domain that an operator has signed a peer into; undefined without `admission`. */
  domain(peer: string): string | undefined
  close(): Promise<void>
}

export interface PeerLinksOptions {
  /** Opens a channel to every peer that connects. False in large networks, where many connect for routing only. @default true */
  readonly eager?: boolean | (() => boolean)
  /** Serve and use only peers an operator has signed for, or that are otherwise admitted. @default all peers */
  readonly admission?: AdmissionOptions
}

export interface PeerLinksComponents {
  readonly network: Network
  readonly clock: Clock
  readonly logger: Logger
}

/** Channels one peer may hold to this node: its own, and one that it has not yet seen fail. */
const MAX_CHANNELS = 2
const MAX_REFUSED = 1024
/** The node of the greater id leaves the other so long to open the channel. */
const YIELD_MS = 1000
const REOPEN_MS = { first: 250, most: 5000 }

export function createPeerLinks(components: PeerLinksComponents, options: PeerLinksOptions = {}): PeerLinks {
  const { network, clock, logger } = components
  const eager = (): boolean => (typeof options.eager === 'function' ? options.eager() : (options.eager ?? true))
  const door = createDoor({ clock, logger, onRevoked: () => shutOut() }, options.admission)
  const handlers: Record<string, CallHandler> = { ...door.handlers }
  const joining = new Map<string, number>()
  /** Peers whose refusal was logged; they come again and again. */
  const refused = new Set<string>()
  const channels = new Map<string, Channel[]>()
  const opening = new Map<string, Promise<Channel>>()
  const listeners = new Set<(event: LinkEvent) => void>()
  const keeping = new Set<string>()
  const stop = new AbortController()
  setMaxListeners(0, stop.signal) // one for each peer that is waited for

  const emit = (type: LinkEvent['type'], peer: string): void => {
    for (const listener of [...listeners]) listener({ type, peer })
  }

  const add = async (stream: FrameStream, peer: string): Promise<Channel> => {
    const channel = createChannel(createStreamTransport(stream), { handlers, peer, clock, logger })
    if (options.admission) {
      await admit(channel, peer)
      void door.tellRevocations(channel)
    }
    const open = channels.get(peer) ?? []
    channels.set(peer, [...open, channel].slice(-MAX_CHANNELS))
    const [oldest] = open
    if (oldest && open.length >= MAX_CHANNELS) drop(oldest, peer)
    void channel.closed.then(() => remove(channel, peer))
    if (open.length === 0) emit('link-up', peer)
    return channel
  }

  /** Waits at the door; who is not admitted is disconnected. */
  const admit = async (channel: Channel, peer: string): Promise<void> => {
    const count = joining.get(peer) ?? 0
    joining.set(peer, count + 1)
    try {
      if (count >= MAX_CHANNELS) throw new ModelNetError('OVERLOADED', `${peer} opens too many channels`)
      await door.greet(channel, peer)
    } catch (error) {
      const level = refused.has(peer) ? 'debug' : 'warn'
      if (refused.size < MAX_REFUSED) refused.add(peer)
      logger[level]({ peer, reason: String(error) }, 'a peer is not admitted')
      drop(channel, peer)
      if (!current(peer)) await network.disconnect(peer)
      throw error
    } finally {
      const left = (joining.get(peer) ?? 1) - 1
      if (left > 0) joining.set(peer, left)
      else joining.delete(peer)
    }
  }

  /** Ends the links to those who are not admitted any more, and tells the others why. */
  const shutOut = (): void => {
    for (const [peer, open] of [...channels]) {
      const objection = door.objection(peer)
      if (!objection) {
        if (open[0]) void door.tellRevocations(open[0])
        continue
      }
      logger.warn({ peer, reason: objection.message }, 'a peer is not admitted any more')
      for (const channel of open) drop(channel, peer)
      network.disconnect(peer).catch(error => logger.debug({ peer, reason: String(error) }, 'not disconnected'))
    }
  }

  const remove = (channel: Channel, peer: string): void => {
    const open = channels.get(peer)?.filter(other => other !== channel) ?? []
    if (open.length > 0) return void channels.set(peer, open)
    if (!channels.delete(peer) || stop.signal.aborted) return
    emit('link-down', peer)
    if (eager()) void keepOpen(peer)
  }

  const drop = (channel: Channel, peer: string): void => {
    channel.close().catch(error => logger.debug({ peer, reason: String(error) }, 'a channel did not close'))
  }

  const open = async (peer: string): Promise<Channel> => {
    const barred = door.barred(peer)
    if (barred) throw barred
    const stream = await network.open(peer, CHANNEL_PROTOCOL, { signal: stop.signal })
    if (!stop.signal.aborted) return add(stream, peer)
    stream.abort(new Error('closing'))
    throw new ModelNetError('CANCELLED', 'this node is closing')
  }

  const current = (peer: string): Channel | undefined => channels.get(peer)?.[0]

  const channel = (peer: string, options: DialOptions = {}): Promise<Channel> => {
    const ready = current(peer)
    if (ready) return Promise.resolve(ready)
    if (stop.signal.aborted) return Promise.reject(new ModelNetError('CANCELLED', 'this node is closing'))
    const pending = opening.get(peer)
    // An opening is shared, so one caller's signal must not end it for the others: only the waiting ends.
    const shared = pending ?? open(peer).finally(() => opening.delete(peer))
    if (!pending) {
      opening.set(peer, shared)
      shared.catch(() => undefined) // who waits for it is told; it may be that nobody does any more
    }
    return options.signal ? raceSignal(shared, options.signal) : shared
  }

  /** Opens the channel to a connected peer and opens it again when it is lost, as long as the connection stands. */
  const keepOpen = async (peer: string): Promise<void> => {
    let wait = network.nodeId < peer ? 0 : YIELD_MS
    if (keeping.has(peer)) return
    keeping.add(peer)
    try {
      while (!stop.signal.aborted && !current(peer) && network.peers().includes(peer)) {
        if (wait > 0) await clock.sleep(wait, stop.signal)
        if (current(peer) || !network.peers().includes(peer)) return
        const failed = await channel(peer).then(
          () => undefined,
          (error: unknown) => toModelNetError(error, 'PEER_UNREACHABLE'),
        )
        if (!failed || failed.code === 'UNSUPPORTED' || failed.code === 'FORBIDDEN') return
        wait = Math.min(REOPEN_MS.most, Math.max(REOPEN_MS.first, wait * 2))
      }
    } catch (error) {
      if (!isAbortError(error) && !stop.signal.aborted) logger.error({ peer, reason: String(error) }, 'lost a link')
    } finally {
      keeping.delete(peer)
    }
  }

  const unhandle = network.handle(CHANNEL_PROTOCOL, (stream, peer) => {
    if (stop.signal.aborted || door.barred(peer)) stream.abort(new Error('not wanted'))
    else add(stream, peer).catch(() => undefined) // logged where it is refused
  })
  const unlisten = network.onPeer(event => {
    if (eager() && event.type === 'peer-connect') void keepOpen(event.peer)
  })
  if (eager()) for (const peer of network.peers()) void keepOpen(peer)

  return {
    serve(methods) {
      const served = options.admission ? door.guard(methods) : methods
      Object.assign(handlers, served)
      return () => {
        for (const [name, handler] of Object.entries(served)) if (handlers[name] === handler) delete handlers[name]
      }
    },
    channel,
    current,
    linked: () => [...channels.keys()],
    domain: peer => door.domain(peer),
    onLink(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close() {
      if (stop.signal.aborted) return
      stop.abort(new ModelNetError('CANCELLED', 'this node is closing'))
      unhandle()
      unlisten()
      const open = [...channels.values()].flat()
      channels.clear()
      listeners.clear()
      await Promise.allSettled(open.map(each => each.close()))
    },
  }
}
