import type { DecodeSession, DistributionKind } from '../../resource/index.ts'
import type { Candidate } from '../../service/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { FusedSession } from '../fusion/index.ts'
import { createFusedSession, fusionRule, isFusionRuleName } from '../fusion/index.ts'
import type { Board, PathwayContext, PathwayEvent } from './path.ts'
import { resolve } from './resolve.ts'
import type { DecoderTerm } from './term.ts'

/** Token candidates asked of members that cannot give bytes: UniTE and DuetNet use 10, GaC's approximation 50. */
const TOP_TOKENS = 50

/** A member with less than this share of the best member's ability has no voice (competence before fusion). */
const MIN_COMPETENCE = 0.6

/** One model of a decoder, in the order of the term. */
export interface Voice {
  /** `model@node`; a second voice of one model carries `#2`. */
  readonly name: string
  readonly candidate: Candidate
  readonly weight: number
}

export interface OpenedDecoder {
  readonly session: DecodeSession
  readonly voices: readonly Voice[]
  /** Who shaped the text so far, by voice name; sums to 1. */
  shares(): ReadonlyMap<string, number>
}

/** Told while a decoder is open. */
export type Told = (event: PathwayEvent) => void

/** References of a decoder term, in order. */
export const referencesOf = (decoder: DecoderTerm): readonly string[] =>
  'lift' in decoder
    ? [decoder.lift]
    : 'fuse' in decoder
      ? decoder.fuse.flatMap(referencesOf)
      : [...referencesOf(decoder.speculate), ...referencesOf(decoder.body)]

/** Throws INVALID_PATHWAY for unknown rules, before anything runs. */
export function checkDecoder(decoder: DecoderTerm): void {
  if ('lift' in decoder) return
  if ('speculate' in decoder)
    throw new ModelNetError('UNSUPPORTED', 'drafting by another model (a ~ b) is not available yet')
  fusionRule(decoder.rule ?? 'mean')
  for (const part of decoder.fuse) checkDecoder(part)
}

/** Opens a decoder on the task of the board: resolves all its models first, then opens their sessions at once. */
export async function openDecoder(
  decoder: DecoderTerm,
  board: Board,
  context: PathwayContext,
  tell: Told,
): Promise<OpenedDecoder> {
  const plan = planOf(decoder, board, context, new Map())
  const able = voicesOf(plan).map(({ candidate }) => candidate.model.card.capabilities)
  const bytes = able.every(capabilities => capabilities.includes('bytes'))
  const distribution: DistributionKind = bytes ? { kind: 'bytes' } : { kind: 'tokens', top: TOP_TOKENS }
  return await open(plan, distribution, board, context, tell)
}

type Plan =
  | { readonly kind: 'lift'; readonly voice: Voice; readonly candidates: readonly Candidate[] }
  | {
      readonly kind: 'fuse'
      readonly rule: string
      readonly members: readonly Plan[]
      readonly weights: readonly number[]
    }

const voicesOf = (plan: Plan): readonly Voice[] =>
  plan.kind === 'lift' ? [plan.voice] : plan.members.flatMap(voicesOf)

/** A reference that stands twice means two distinct models: ranks of it. */
function planOf(decoder: DecoderTerm, board: Board, context: PathwayContext, ranks: Map<string, number>): Plan {
  if ('lift' in decoder) {
    const rank = ranks.get(decoder.lift) ?? 0
    ranks.set(decoder.lift, rank + 1)
    const candidates = resolve({ reference: decoder.lift, rank }, board, context.matcher).filter(
      ({ model }) => model.open,
    )
    const [candidate] = candidates
    if (!candidate) throw new ModelNetError('UNSUPPORTED', `no model that ${decoder.lift} names offers decode sessions`)
    return { kind: 'lift', voice: { name: candidate.name, candidate, weight: 1 }, candidates }
  }
  if ('speculate' in decoder) throw new ModelNetError('UNSUPPORTED', 'drafting by another model is not available yet')
  const members: Plan[] = []
  const lost: unknown[] = []
  for (const part of decoder.fuse) {
    try {
      members.push(planOf(part, board, context, ranks))
    } catch (error) {
      lost.push(error)
    }
  }
  if (members.length === 0) throw lost[0]
  return { kind: 'fuse', rule: decoder.rule ?? 'mean', members, weights: decoder.weights ?? competence(members) }
}

/** Weight by expected ability; who is far below the best is silent, or a fusion ends below its best member. */
function competence(members: readonly Plan[]): readonly number[] {
  const abilities = members.map(member => Math.max(...voicesOf(member).map(({ candidate }) => candidate.ability.mean)))
  const best = Math.max(...abilities)
  return abilities.map(ability => (ability >= MIN_COMPETENCE * best ? ability : 0))
}

async function open(
  plan: Plan,
  distribution: DistributionKind,
  board: Board,
  context: PathwayContext,
  tell: Told,
): Promise<OpenedDecoder> {
  if (plan.kind === 'lift') {
    const model = context.failover(plan.candidates, ({ from, to, code }) =>
      tell({
        type: 'note',
        stage: context.scope,
        message: `${from} failed (${code}), ${to ?? 'nobody'} takes over`,
        facts: { from, to, code },
      }),
    )
    if (!model.open) throw new ModelNetError('UNSUPPORTED', `${plan.voice.name} offers no decode sessions`)
    const { stop: _stop, ...options } = board.task.options
    const session = await model.open(
      { ...options, messages: board.task.messages },
      { signal: context.signal, distribution },
    )
    return { session, voices: [plan.voice], shares: () => new Map([[plan.voice.name, 1]]) }
  }
  const wanted = plan.members
    .map((member, index) => ({ member, weight: plan.weights[index] ?? 1 }))
    .filter(({ weight }) => weight > 0)
  const silent = plan.members.filter((_, index) => (plan.weights[index] ?? 1) <= 0).flatMap(voicesOf)
  for (const { name } of silent)
    tell({
      type: 'note',
      stage: context.scope,
      message: `${name} has no voice: too far below the best member at this task`,
      facts: { silent: name },
    })
  const results = await Promise.allSettled(wanted.map(({ member }) => open(member, distribution, board, context, tell)))
  const opened = results.flatMap((result, index) =>
    result.status === 'fulfilled' ? [{ ...result.value, weight: wanted[index]?.weight ?? 1 }] : [],
  )
  const failed = results.flatMap(result => (result.status === 'rejected' ? [result.reason as unknown] : []))
  if (context.signal.aborted || opened.length === 0) {
    await Promise.allSettled(opened.map(({ session }) => session.close()))
    throw context.signal.aborted ? context.signal.reason : failed[0]
  }
  for (const reason of failed)
    tell({
      type: 'note',
      stage: context.scope,
      message: `member left out, its weight goes to the others: ${String(reason)}`,
    })
  const [only] = opened
  if (opened.length === 1 && only) return only
  const named = uniquelyNamed(opened)
  const fused = createFusedSession(
    named.map(({ session, weight, name }) => ({ session, weight, name })),
    {
      rule: isFusionRuleName(plan.rule) ? plan.rule : fusionRule(plan.rule),
      clock: context.clock,
      onEvent: event => {
        if (event.type !== 'member-late')
          tell({ type: 'note', stage: context.scope, message: `${event.name}: ${event.type}`, facts: { ...event } })
      },
    },
  )
  return { session: fused, voices: named.flatMap(({ voices }) => voices), shares: () => sharesOf(fused, named) }
}

type Named = OpenedDecoder & { readonly name: string; readonly weight: number }

function uniquelyNamed(opened: readonly (OpenedDecoder & { readonly weight: number })[]): readonly Named[] {
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
