import { type Analysis, type Candidate, loadOf, type Matcher, type Task } from '../service/index.ts'
import { closeSpecialists } from './pathway/specialists.ts'
import type { Term } from './pathway/term.ts'

/** A pathway, and why this one. */
export interface Choice {
  readonly term: Term
  readonly why: string
}

/** Models that a vote asks when the choice is automatic. */
const VOTERS = 3

/**
 * How much of the gain that independent voters would have remains: recorded models that are both wrong give the same
 * wrong answer in 67.5 % of cases (collaboration-methods 1.5), so a third of their errors is independent.
 */
const INDEPENDENCE = 0.325

/**
 * An answer takes so many times longer than alone: its member has none to spare for questions that one model can answer.
 * Under load a network that asks three where one would do serves a third of its users.
 */
const CROWDED = 2

/** Expected gain below which one model is preferred: what estimates of ability are uncertain by. */
const MIN_GAIN = 0.01

interface Option extends Choice {
  /** Who may be asked. */
  readonly members: readonly Candidate[]
  readonly quality: number
  readonly cost: number
  readonly seconds: number
}

/**
 * The pathway expected to be best for a task: utility = quality weight x expected share of right answers - cost weight
 * x cost - latency weight x seconds, over one model, a vote of the best, and a cascade; a composite question is planned.
 * One model is kept unless another pathway is expected to gain more than estimates are uncertain by.
 */
export function choosePathway(task: Task, analysis: Analysis, matcher: Matcher): Choice {
  const candidates = distinct(matcher.candidates({ kind: 'any' }, analysis.tags))
  const [leader] = candidates
  if (!leader) return { term: { call: '*' }, why: 'no model is known yet' }
  const calls = task.budget.calls ?? Infinity
  if (analysis.composite && calls >= 3) {
    const [planner] = matcher.candidates({ kind: 'tag', tag: 'skill:planning' }, analysis.tags)
    if (planner)
      return {
        term: { plan: '@planning', else: { call: '*' } },
        why: `the question has several parts: ${planner.name} plans them`,
      }
  }
  const single = singleOption(leader, analysis, matcher)
  const options = [single]
  const surest = surestOption(analysis, matcher)
  if (surest) options.push(surest)
  // Free text has no key to vote by, and what nobody was measured on gives votes no weight.
  if (analysis.format !== 'text' && analysis.format !== 'code')
    options.push(...[voteOption(candidates, leader), cascadeOption(candidates)].filter(option => option !== undefined))
  const { quality, cost, latency } = task.preference
  const utility = (option: Option): number => quality * option.quality - cost * option.cost - latency * option.seconds
  const affordable = options.filter(
    ({ cost, members }) =>
      cost <= (task.budget.cost ?? Infinity) &&
      members.length <= calls &&
      (members.length === 1 || members.every(member => loadOf(member) <= CROWDED)),
  )
  const best = affordable.reduce((a, b) => (utility(b) > utility(a) ? b : a), single)
  const chosen = utility(best) > utility(single) + MIN_GAIN * quality ? best : single
  return { term: chosen.term, why: chosen.why }
}

function singleOption(leader: Candidate, analysis: Analysis, matcher: Matcher): Option {
  const top = analysis.tags.find(({ tag }) => tag.startsWith('skill:'))
  const named =
    top && top.probability >= 0.5 ? matcher.candidates({ kind: 'tag', tag: top.tag }, analysis.tags)[0] : undefined
  const skill = top?.tag.slice('skill:'.length)
  // `@skill` says more than `*` where both mean the same model
  const term: Term = named?.name === leader.name && skill ? { call: `@${skill}` } : { call: '*' }
  const about = top ? `the question is ${skill} (${top.probability.toFixed(2)}), ` : ''
  return {
    term,
    members: [leader],
    why: `${about}${leader.name} is expected to answer ${percent(leader.ability.mean)} right`,
    quality: leader.ability.mean,
    cost: leader.cost,
    seconds: leader.latencyMs / 1000,
  }
}

/**
 * Specialists of one skill of which none is known to be better: the one that is surest of its answer. Their errors are
 * not those of equals who all know a little of everything, as they divide the field between them.
 */
function surestOption(analysis: Analysis, matcher: Matcher): Option | undefined {
  const [top] = analysis.tags.filter(({ tag }) => tag.startsWith('skill:'))
  const isShort = analysis.format !== 'text' && analysis.format !== 'code'
  if (!top || top.tag === 'skill:general' || top.probability < 0.5 || !isShort) return undefined
  const skill = top.tag.slice('skill:'.length)
  const close = closeSpecialists(`@${skill}`, analysis, matcher)
  const [leader] = close
  if (!leader || close.length < 2) return undefined
  const { mean } = leader.ability
  const anyRight = 1 - close.reduce((product, { ability }) => product * (1 - ability.mean), 1)
  return {
    term: { strategy: 'surest', of: [{ call: `@${skill}` }], with: { n: close.length } },
    members: close,
    why: `the question is ${skill} (${top.probability.toFixed(2)}), and it is not known which of ${close.map(({ name }) => name).join(', ')} is better at it: the surest answers`,
    quality: mean + INDEPENDENCE * (anyRight - mean),
    cost: sum(close.map(({ cost }) => cost)),
    seconds: Math.max(...close.map(({ latencyMs }) => latencyMs)) / 1000,
  }
}

/** The best three, if each is measured and about as able as the first. */
function voteOption(candidates: readonly Candidate[], leader: Candidate): Option | undefined {
  const voters = candidates.slice(0, VOTERS)
  const able = voters.filter(
    ({ ability }) => ability.evidence >= 5 && ability.mean > 0.5 && leader.ability.mean - ability.mean <= 0.05,
  )
  if (able.length < VOTERS) return undefined
  const independent = majority(able.map(({ ability }) => ability.mean))
  const quality = leader.ability.mean + INDEPENDENCE * (independent - leader.ability.mean)
  return {
    term: { strategy: 'weighted', with: { n: VOTERS } },
    members: able,
    why: `${able.map(({ name }) => name).join(', ')} are about equally able: a vote is expected to answer ${percent(quality)} right`,
    quality,
    cost: sum(able.map(({ cost }) => cost)),
    seconds: Math.max(...able.map(({ latencyMs }) => latencyMs)) / 1000,
  }
}

/** Two cheap ones that must agree, else the best: pays where the best costs much more. */
function cascadeOption(candidates: readonly Candidate[]): Option | undefined {
  const [strong] = candidates
  const cheap = candidates
    .slice(1)
    .filter(
      ({ cost, ability }) =>
        strong !== undefined && cost <= strong.cost / 4 && ability.evidence >= 5 && ability.mean > 0.5,
    )
    .slice(0, 2)
  const [a, b] = cheap
  if (!strong || !a || !b || strong.cost === 0) return undefined
  const [wrongA, wrongB] = [1 - a.ability.mean, 1 - b.ability.mean]
  // errors go together: in part as independent ones, in part as far as the abler one errs at all
  const bothWrong = INDEPENDENCE * wrongA * wrongB + (1 - INDEPENDENCE) * Math.min(wrongA, wrongB)
  const bothRight = 1 - wrongA - wrongB + bothWrong
  const agreement = bothRight + bothWrong * (1 - INDEPENDENCE)
  const quality = bothRight + (1 - agreement) * strong.ability.mean
  return {
    term: { gate: { par: [{ call: named(a) }, { call: named(b) }] }, else: { call: named(strong) }, accept: 'agree' },
    members: [a, b, strong],
    why: `${a.name} and ${b.name} cost little and are expected to agree in ${percent(agreement)}; else ${strong.name} is asked`,
    quality,
    cost: a.cost + b.cost + (1 - agreement) * strong.cost,
    seconds: (Math.max(a.latencyMs, b.latencyMs) + (1 - agreement) * strong.latencyMs) / 1000,
  }
}

const named = ({ model }: Candidate): string => model.card.id

/** Probability that more than half of independent voters are right. */
export function majority(abilities: readonly number[]): number {
  let counts = [1]
  for (const p of abilities)
    counts = Array.from({ length: counts.length + 1 }, (_, k) => (counts[k] ?? 0) * (1 - p) + (counts[k - 1] ?? 0) * p)
  return sum(counts.slice(Math.floor(abilities.length / 2) + 1))
}

function distinct(candidates: readonly Candidate[]): readonly Candidate[] {
  const seen = new Set<string>()
  return candidates.filter(({ model }) => !seen.has(model.card.id) && seen.add(model.card.id))
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`
