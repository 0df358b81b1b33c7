import type { ChatMessage } from '../../protocol/index.ts'
import type { DecodeSession, DistributionKind } from '../../resource/index.ts'
import { createByteView } from '../../resource/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { FusedSession, FusionMetrics, FusionRule } from '../fusion/index.ts'
import {
  contrast,
  createDeferringSession,
  createFusedSession,
  createGatedSession,
  createSpanSession,
  createSpeculativeSession,
  fusionRule,
  proxyTuning,
} from '../fusion/index.ts'
import { isBare } from '../judging/abilities.ts'
import type { DecoderPlan, Voice } from './decoder-plan.ts'
import { hasRoles, planDecoder, SPANS, voicesOf, weigh } from './decoder-plan.ts'
import { createDraftedSession } from './drafted-session.ts'
import type { Board, PathwayContext, PathwayEvent } from './path.ts'
import { type Lift, takeSeats } from './seats.ts'
import type { Arguments, DecoderTerm } from './term.ts'

/** Token candidates asked of members that cannot give bytes: UniTE and DuetNet use 10, GaC's approximation 50. */
const TOP_TOKENS = 50

export interface OpenedDecoder {
  readonly session: DecodeSession
  readonly voices: readonly Voice[]
  /** Who shaped the text so far, by voice name; sums to 1. */
  shares(): ReadonlyMap<string, number>
  /** What the joint text cost and who shaped it, for the trace; absent where no symbols are fused. */
  readonly metrics?: () => FusionMetrics
  /** Several write, one step at a time: worth asking ahead. */
  readonly canAskAhead?: true
}

type Member = OpenedDecoder & { readonly weight: number }

/** What is handed down while sessions are opened. */
interface Opening {
  readonly board: Board
  readonly context: PathwayContext
  readonly distribution: DistributionKind
  readonly note: Note
  /** The session of one model. */
  readonly take: (lift: Lift) => Promise<DecodeSession>
}

type Note = (message: string, facts?: Readonly<Record<string, unknown>>) => void

/**
 * Opens a decoder on the task of the board: resolves all its models first, then opens their sessions. `question` is what
 * was asked before answers were added to it.
 */
export async function openDecoder(
  decoder: DecoderTerm,
  board: Board,
  context: PathwayContext,
  tell: (event: PathwayEvent) => void,
  question: readonly ChatMessage[] = board.task.messages,
): Promise<OpenedDecoder> {
  const note: Note = (message, facts) =>
    tell({ type: 'note', stage: context.scope, message, ...(facts ? { facts } : {}) })
  const planned = planDecoder(decoder, board, context)
  const bytes = voicesOf(planned).some(givesBytes)
  const distribution: DistributionKind = bytes ? { kind: 'bytes' } : { kind: 'tokens', top: TOP_TOKENS }
  const plan = await withWeights(planned, board, context, note)
  // who knows bare questions only is not shown the answers before it
  const bare: Board = { ...board, task: { ...board.task, messages: question } }
  const asBare = ({ voice }: Lift): boolean => isBare(voice.candidate)
  const opened = await takeSeats(
    liftsOf(plan),
    (lift, signal) => openLift(lift, { board: asBare(lift) ? bare : board, context, distribution, note, signal }),
    (take, signal) => open(plan, { board, context: { ...context, signal }, distribution, note, take }),
    context,
  )
  // Asked along a draft of whoever is most often right: the same text in fewer round trips, even within one machine.
  return opened.canAskAhead
    ? { ...opened, session: createSpeculativeSession(opened.session, { clock: context.clock }) }
    : opened
}

/** The plan with the weights that competence gives, and without those who have no voice. */
async function withWeights(plan: DecoderPlan, board: Board, context: PathwayContext, note: Note): Promise<DecoderPlan> {
  if (plan.kind === 'lift') return plan
  const settle = (part: DecoderPlan): Promise<DecoderPlan> => withWeights(part, board, context, note)
  if (plan.kind === 'speculate') return { ...plan, body: await settle(plan.body), lead: await settle(plan.lead) }
  const weights = plan.weights ?? (await weigh(plan.members, board.task.messages, context.signal))
  const weighed = plan.members.map((member, index) => ({ member, weight: weights[index] ?? 1 }))
  for (const { name } of weighed.filter(({ weight }) => weight <= 0).flatMap(({ member }) => voicesOf(member)))
    note(
      `${name} has no voice: too little is known of it at this task, it is far below the best, or the task is strange to it`,
      { silent: name },
    )
  const heard = weighed.filter(({ weight }) => weight > 0)
  return {
    ...plan,
    members: await Promise.all(heard.map(({ member }) => settle(member))),
    weights: heard.map(({ weight }) => weight),
  }
}

/** Every session that a plan takes. */
function liftsOf(plan: DecoderPlan): readonly Lift[] {
  if (plan.kind === 'lift') return [plan]
  if (plan.kind === 'speculate') return [...liftsOf(plan.body), ...liftsOf(plan.lead)]
  const all = plan.members.flatMap(liftsOf)
  const [first] = plan.members
  return plan.rule === 'gated' && first && plan.members.length > 1 ? [...all, ...liftsOf(first)] : all
}

async function open(plan: DecoderPlan, opening: Opening): Promise<OpenedDecoder> {
  if (plan.kind === 'lift') return await openOne(plan, opening)
  if (plan.kind === 'speculate') return await openSpeculation(plan, opening)
  const opened = await openMembers(plan, opening)
  const [first, second] = opened
  if (opened.length === 1 && first) return first
  if (plan.rule === 'defer' && first && second) {
    const { voices: weak } = first
    return {
      session: createDeferringSession(first.session, second.session, plan.args),
      voices: [...weak, ...second.voices],
      shares: () => new Map([...weak, ...second.voices].map(({ name }, _, all) => [name, 1 / all.length])),
    }
  }
  if (plan.rule === SPANS) return fuseBySpans(opened)
  if (plan.rule === 'gated' && plan.members[0]) {
    // the first writes alone where it is sure, and is one of all where it is not
    const lead = await open(plan.members[0], opening)
    const all = fuse(opened, 'mean', plan.args, opening)
    return { ...withoutAskingAhead(all), session: createGatedSession(lead.session, all.session, plan.args) }
  }
  return fuse(opened, plan.rule, plan.args, opening)
}

function withoutAskingAhead({ canAskAhead: _, ...opened }: OpenedDecoder): OpenedDecoder {
  return opened
}

const givesBytes = ({ candidate }: Voice): boolean => candidate.model.card.capabilities.includes('bytes')

async function openOne(lift: Lift, { distribution, take }: Opening): Promise<OpenedDecoder> {
  const { voice } = lift
  const own = await take(lift)
  const session = isViewed(voice, distribution) ? createByteView(own) : own
  return { session, voices: [voice], shares: () => new Map([[voice.name, 1]]) }
}

/** Who reports token candidates only is seen through them byte by byte, where others report bytes. */
const isViewed = (voice: Voice, { kind }: DistributionKind): boolean => kind === 'bytes' && !givesBytes(voice)

async function openLift(
  { voice, candidates }: Lift,
  { board, context, distribution, note, signal }: Omit<Opening, 'take'> & { readonly signal: AbortSignal },
): Promise<DecodeSession> {
  const model = context.failover(candidates, ({ from, to, code }) =>
    note(`${from} failed (${code}), ${to ?? 'nobody'} takes over`, { from, to, code }),
  )
  if (!model.open) throw new ModelNetError('UNSUPPORTED', `${voice.name} offers no decode sessions`)
  const { stop: _stop, ...options } = board.task.options
  const request = { ...options, messages: board.task.messages }
  const deadlineMs = context.ledger.remainingMs()
  return model.open(request, {
    signal,
    distribution: isViewed(voice, distribution) ? { kind: 'tokens', top: TOP_TOKENS } : distribution,
    ...(Number.isFinite(deadlineMs) && { deadlineMs: Math.max(1, deadlineMs) }),
  })
}

async function openSpeculation(
  plan: Extract<DecoderPlan, { kind: 'speculate' }>,
  opening: Opening,
): Promise<OpenedDecoder> {
  const body = await open(plan.body, opening)
  const lead = await open(plan.lead, opening).catch((error: unknown) => {
    opening.context.signal.throwIfAborted()
    opening.note(`nobody drafts: ${String(error)}`)
    return undefined
  })
  if (!lead) return body
  const drafted = createDraftedSession(lead.session, body.session)
  const bytes = plan.bytes === undefined ? {} : { maxBytes: plan.bytes }
  const session = createSpeculativeSession(drafted, { clock: opening.context.clock, ...bytes })
  return { ...withoutAskingAhead(body), session, voices: [...body.voices, ...lead.voices] }
}

/** Opens the members at once. One that cannot be opened is left out, unless members have roles. */
async function openMembers(plan: Extract<DecoderPlan, { kind: 'fuse' }>, opening: Opening): Promise<readonly Member[]> {
  const results = await Promise.allSettled(plan.members.map(member => open(member, opening)))
  const opened = results.flatMap((result, index) =>
    result.status === 'fulfilled' ? [{ ...result.value, weight: plan.weights?.[index] ?? 1 }] : [],
  )
  const failed = results.flatMap(result => (result.status === 'rejected' ? [result.reason as unknown] : []))
  const { signal } = opening.context
  if (signal.aborted || opened.length === 0 || (hasRoles(plan.rule) && failed.length > 0))
    throw signal.aborted ? signal.reason : failed[0]
  for (const reason of failed) opening.note(`member left out, its weight goes to the others: ${String(reason)}`)
  return opened
}

function fuse(opened: readonly Member[], rule: string, args: Arguments, { context, note }: Opening): OpenedDecoder {
  const named = uniquelyNamed(opened)
  const session = createFusedSession(
    named.map(({ session: member, weight, name }) => ({ session: member, weight, name })),
    {
      rule: ruleOf(
        rule,
        args,
        named.map(({ name }) => name),
      ),
      ...(args['learn'] === false || hasRoles(rule) ? { learn: false as const } : {}),
      clock: context.clock,
      onEvent: event => {
        if (event.type !== 'member-late') note(`${event.name}: ${event.type}`, { ...event })
      },
    },
  )
  const voices = named.flatMap(member => member.voices)
  return { session, voices, shares: () => sharesOf(session, named), metrics: () => session.metrics, canAskAhead: true }
}

/** Members that write whole spans, chosen by the others. */
function fuseBySpans(opened: readonly Member[]): OpenedDecoder {
  const named = uniquelyNamed(opened)
  const session = createSpanSession(
    named.map(({ session: member, weight, name }) => ({
      name,
      weight,
      session: member.distribution.kind === 'bytes' ? member : createByteView(member),
    })),
  )
  const shares = (): ReadonlyMap<string, number> => {
    const written = [...session.authored.values()].reduce((sum, bytes) => sum + bytes, 0)
    const all = named.flatMap(({ name, shares: inner }) => {
      const share = written > 0 ? (session.authored.get(name) ?? 0) / written : 1 / named.length
      return [...inner()].map(([voice, part]): [string, number] => [voice, share * part])
    })
    return new Map(all)
  }
  return { session, voices: named.flatMap(({ voices }) => voices), shares }
}

function ruleOf(
  rule: string,
  { strength }: Arguments,
  [first = '', second = '', third = '']: readonly string[],
): FusionRule {
  const options = typeof strength === 'number' ? { strength } : {}
  if (rule === 'contrast') return contrast({ expert: first, amateur: second, ...options })
  if (rule === 'proxy') return proxyTuning({ base: first, tuned: second, raw: third, ...options })
  return fusionRule(rule)
}

type Named = Member & { readonly name: string }

function uniquelyNamed(opened: readonly Member[]): readonly Named[] {
  const seen = new Map<string, number>()
  return opened.map(member => {
    const base = member.voices.map(voice => voice.name).join(' + ')
    const count = (seen.get(base) ?? 0) + 1
    seen.set(base, count)
    return { ...member, name: count === 1 ? base : `${base}#${count}` }
  })
}

/** Share of the committed symbols that each voice would have chosen itself, nested fusions multiplied out. */
function sharesOf(fused: FusedSession, members: readonly Named[]): ReadonlyMap<string, number> {
  const agreed = new Map(fused.metrics.members.map(({ name, agreed: count }) => [name, count]))
  const total = [...agreed.values()].reduce((sum, count) => sum + count, 0)
  const shares = new Map<string, number>()
  for (const { name, shares: inner } of members) {
    const share = total > 0 ? (agreed.get(name) ?? 0) / total : 1 / members.length
    for (const [voice, part] of inner()) shares.set(voice, (shares.get(voice) ?? 0) + share * part)
  }
  return shares
}
