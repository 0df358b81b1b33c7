import type { ChatMessage } from '../../protocol/index.ts'
import type { Candidate } from '../../service/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { Competence } from '../fusion/index.ts'
import { competenceWeights, FUSION_RULES, promptLogprob } from '../fusion/index.ts'
import { unknownItem } from './near.ts'
import { checkArguments, FLAG, type Parameters, SHARE } from './parameters.ts'
import type { Board, PathwayContext } from './path.ts'
import { defect, type Segment } from './place.ts'
import { resolve } from './resolve.ts'
import type { Arguments, DecoderTerm } from './term.ts'

/** One model of a decoder, in the order of the term. */
export interface Voice {
  /** `model@node`. */
  readonly name: string
  readonly candidate: Candidate
}

/** A decoder term with its models resolved. */
export type DecoderPlan =
  | { readonly kind: 'lift'; readonly voice: Voice; readonly candidates: readonly Candidate[] }
  | { readonly kind: 'speculate'; readonly lead: DecoderPlan; readonly body: DecoderPlan; readonly bytes?: number }
  | {
      readonly kind: 'fuse'
      readonly rule: string
      readonly args: Arguments
      readonly members: readonly DecoderPlan[]
      /** As the term gives them, 0 for members without a voice; undefined where competence decides. */
      readonly weights: readonly number[] | undefined
    }

/** Ways of writing together in which members have roles by their order; the number is how many there must be. */
const ROLES: Readonly<Record<string, number>> = { contrast: 2, proxy: 3, gated: 2, defer: 2 }

/** Members write whole spans in turn, each chosen by all the others (span fusion): weighed by competence like a mixture. */
export const SPANS = 'span'

/** True for rules in which nobody can stand in for a missing member. */
export const hasRoles = (rule: string): boolean => Object.hasOwn(ROLES, rule)

/** References of a decoder term, in order. */
export const referencesOf = (decoder: DecoderTerm): readonly string[] =>
  'lift' in decoder
    ? [decoder.lift]
    : 'fuse' in decoder
      ? decoder.fuse.flatMap(referencesOf)
      : [...referencesOf(decoder.body), ...referencesOf(decoder.speculate)]

/** What each way of fusing takes besides models and weights. */
export const FUSION_PARAMETERS: Readonly<Record<string, Parameters>> = {
  ...Object.fromEntries(Object.keys(FUSION_RULES).map(rule => [rule, { learn: FLAG }])),
  gated: { threshold: SHARE, learn: FLAG },
  defer: {
    threshold: SHARE,
    spanBytes: { kind: 'count', min: 1, max: 4096 },
    coolDown: { kind: 'count', min: 0, max: 4096 },
    maxShare: SHARE,
  },
  contrast: { strength: { kind: 'number', min: 0, max: 10 } },
  proxy: { strength: { kind: 'number', min: 0, max: 10 } },
  [SPANS]: {},
}

/**
 * Throws INVALID_PATHWAY for unknown rules, arguments that nothing reads, weights that are not one for each, and roles
 * without a model, before anything runs. `at` tells where in the pathway a part of the decoder stands.
 */
export function checkDecoder(decoder: DecoderTerm, at: (...inner: readonly Segment[]) => readonly Segment[]): void {
  if ('lift' in decoder) return
  if ('speculate' in decoder) {
    checkDecoder(decoder.speculate, (...inner) => at('speculate', ...inner))
    checkDecoder(decoder.body, (...inner) => at('body', ...inner))
    return
  }
  const { rule = 'mean', fuse, weights, with: args = {} } = decoder
  const parameters = Object.hasOwn(FUSION_PARAMETERS, rule) ? FUSION_PARAMETERS[rule] : undefined
  if (!parameters) throw unknownItem('fusion rule', rule, Object.keys(FUSION_PARAMETERS), at('rule'))
  if (fuse.length < (ROLES[rule] ?? 0))
    throw defect(`the rule ${rule} takes at least ${ROLES[rule]} models, in order`, at('fuse'))
  if (weights && weights.length !== fuse.length)
    throw defect(`there are ${fuse.length} members and ${weights.length} weights; each has one`, at('weights'))
  const owner = `the fusion rule ${rule}`
  checkArguments(owner, parameters, args, name => at('with', name), ['rule', 'weights'])
  for (const [index, part] of fuse.entries()) checkDecoder(part, (...inner) => at('fuse', index, ...inner))
}

/** All models of a plan, in the order of `referencesOf`. */
export const voicesOf = (plan: DecoderPlan): readonly Voice[] =>
  plan.kind === 'lift'
    ? [plan.voice]
    : plan.kind === 'fuse'
      ? plan.members.flatMap(voicesOf)
      : [...voicesOf(plan.body), ...voicesOf(plan.lead)]

/** Resolves a decoder term. A reference that stands twice in a fusion means two distinct models: ranks of it. */
export function planDecoder(
  decoder: DecoderTerm,
  board: Board,
  context: PathwayContext,
  ranks: Map<string, number> = new Map(),
): DecoderPlan {
  if ('lift' in decoder) {
    const rank = ranks.get(decoder.lift) ?? 0
    ranks.set(decoder.lift, rank + 1)
    const found = resolve({ reference: decoder.lift, rank }, board, context.matcher)
    const candidates = found.filter(({ model }) => model.open)
    const [candidate] = candidates
    if (!candidate) throw new ModelNetError('UNSUPPORTED', `no model that ${decoder.lift} names offers decode sessions`)
    return { kind: 'lift', voice: { name: candidate.name, candidate }, candidates }
  }
  if ('speculate' in decoder) {
    const body = planDecoder(decoder.body, board, context, ranks)
    // the one who drafts may also be one of those who decide
    const lead = planDecoder(decoder.speculate, board, context)
    return { kind: 'speculate', lead, body, ...(decoder.bytes === undefined ? {} : { bytes: decoder.bytes }) }
  }
  const { rule = 'mean', with: args = {}, weights } = decoder
  const members: DecoderPlan[] = []
  const kept: number[] | undefined = weights && []
  const lost: unknown[] = []
  for (const [index, part] of decoder.fuse.entries()) {
    try {
      members.push(planDecoder(part, board, context, ranks))
      kept?.push(weights?.[index] ?? 1)
    } catch (error) {
      if (hasRoles(rule)) throw error
      lost.push(error)
    }
  }
  if (members.length === 0) throw lost[0]
  return { kind: 'fuse', rule, args, members, weights: kept ?? (hasRoles(rule) ? members.map(() => 1) : undefined) }
}

/** Competence before fusion: by what is known of the members at this task, and by how familiar each finds the prompt. */
export async function weigh(
  members: readonly DecoderPlan[],
  messages: readonly ChatMessage[],
  signal: AbortSignal,
): Promise<readonly number[]> {
  const known = members.map(async (member): Promise<Competence> => {
    const voices = voicesOf(member).map(({ candidate }) => candidate)
    const best = voices.reduce((first, each) => (each.ability.mean > first.ability.mean ? each : first))
    const familiar = await promptLogprob(best.model, messages, signal)
    return { ability: best.ability, ...(familiar !== undefined && { promptLogprob: familiar }) }
  })
  return competenceWeights(await Promise.all(known))
}
