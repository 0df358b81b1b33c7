/**
 * Question: what do an adversary, a slow participant and a dying one do to a joint answer?
 * Limits: 1 of 4 participants adversarial costs at most 2 points of accuracy; with one participant delayed by 500 ms per
 * step the joint answer keeps 80 % of the others' speed; a participant killed at a random step in 100 runs leaves 100
 * complete answers.
 * Run: npx tsx benchmarks/token-level/robustness.ts [--questions 100] [--runs 100] [--timed 5]
 * Writes benchmarks/results/token-level-robustness.json. The honest participants are sessions of the shipped models of a
 * skill, some of them twice where there are fewer than three. Delay and death are artificial; where one participant is
 * delayed, the others take 10 ms per step, as peers nearby would. The adversary knows what
 * the first honest member finds second best and claims to be sure of that at every step.
 */

import { createFusedSession, type FusedMember, type FusionOptions } from '../../src/interaction/index.ts'
import { END } from '../../src/protocol/index.ts'
import type { DecodeSession, Distribution } from '../../src/resource/index.ts'
import { createDecodeSession } from '../../src/resource/index.ts'
import { ModelNetError } from '../../src/utils/errors.ts'
import { createRandom } from '../../src/utils/random.ts'
import { median, writeResult } from '../support.ts'
import { argument, delayed, isRight, loadFamily, open, rounded, write } from './models.ts'

const perSkill = argument('questions', 100)
const runs = argument('runs', 100)
const timed = argument('timed', 5)
const family = await loadFamily()
const arithmetic = family.names.filter(name => name.startsWith('arithmetic-'))
const honest = [...arithmetic, 'generalist', 'arithmetic-a'].slice(0, 3)
const questions = await family.questions('arithmetic-a', perSkill)

async function honestMembers(question: string, count = honest.length): Promise<FusedMember[]> {
  return Promise.all(
    honest.slice(0, count).map(async (name, index) => ({
      name: `${name}#${index}`,
      weight: 1,
      session: await open(family.model(name), question),
    })),
  )
}

/** Sure of what the model behind it finds second best. */
function adversary(session: DecodeSession): DecodeSession {
  return createDecodeSession({
    distribution: session.distribution,
    close: () => session.close(),
    async step(step, options) {
      const { distributions, ...rest } = await session.step(step, options)
      return { ...rest, ...(distributions && { distributions: distributions.map(secondBest) }) }
    },
  })
}

function secondBest(distribution: Distribution): Distribution {
  if (distribution.kind !== 'bytes') return distribution
  const order = Array.from(distribution.probabilities.keys()).sort(
    (a, b) => (distribution.probabilities[b] ?? 0) - (distribution.probabilities[a] ?? 0),
  )
  const probabilities = new Float64Array(END + 1)
  probabilities[order[1] ?? END] = 1
  return { kind: 'bytes', probabilities }
}

async function accuracy(options: FusionOptions, withAdversary: boolean): Promise<number> {
  let right = 0
  for (const question of questions) {
    const members = await honestMembers(question.question)
    if (withAdversary) {
      const session = adversary(await open(family.model(honest[0] ?? ''), question.question))
      members.push({ name: 'adversary', weight: 1, session })
    }
    if (isRight(question, (await write(createFusedSession(members, { lateMs: 30_000, ...options }))).text)) right++
  }
  return rounded((100 * right) / questions.length, 1)
}

const adversarial: Record<string, object> = {}
for (const [label, options] of Object.entries<FusionOptions>({
  'default (mean, learned weights)': {},
  'mean (PI)': { learn: false },
  robust: { rule: 'robust', learn: false },
  'robust, learned weights': { rule: 'robust' },
  product: { rule: 'product', learn: false },
})) {
  const without = await accuracy(options, false)
  const withOne = await accuracy(options, true)
  adversarial[label] = { without, withOne, lost: rounded(without - withOne, 1) }
  console.log(label, adversarial[label])
}

/** Bytes per second over several answers written one after another by the same fusion settings. */
async function speed(slow: boolean): Promise<{ readonly perSecond: number; readonly bytes: number }> {
  let bytes = 0
  let ms = 0
  const long = { maxTokens: 512, stop: [], temperature: 1 } // sampled text runs on
  for (let index = 0; index < timed; index++) {
    const question = questions[index % questions.length]?.question ?? ''
    const members = (await honestMembers(question, 2)).map((member, at) => ({
      ...member,
      session: delayed(member.session, at === 1 && slow ? 500 : 10),
    }))
    const written = await write(createFusedSession(members.map(endless)), long)
    bytes += written.bytes
    ms += written.ms
  }
  return { perSecond: (1000 * bytes) / ms, bytes }
}

/** Never ends its text: answers of the specialists are too short to time a late member fairly. */
function endless(member: FusedMember): FusedMember {
  const { session } = member
  return {
    ...member,
    session: createDecodeSession({
      distribution: session.distribution,
      close: () => session.close(),
      async step(step, options) {
        const { distributions, ...rest } = await session.step(step, options)
        return { ...rest, ...(distributions && { distributions: distributions.map(withoutEnd) }) }
      },
    }),
  }
}

function withoutEnd(distribution: Distribution): Distribution {
  if (distribution.kind !== 'bytes') return distribution
  const probabilities = distribution.probabilities.slice()
  const left = 1 - (probabilities[END] ?? 0)
  probabilities[END] = 0
  if (left < 1e-9) return { kind: 'bytes', probabilities: probabilities.fill(0).fill(1, 32, 33) }
  return { kind: 'bytes', probabilities: probabilities.map(value => value / left) }
}

const speeds: { others: number[]; withSlow: number[]; ratio: number[] } = { others: [], withSlow: [], ratio: [] }
for (let round = 0; round < 3; round++) {
  const others = await speed(false)
  const withSlow = await speed(true)
  speeds.others.push(rounded(others.perSecond, 1))
  speeds.withSlow.push(rounded(withSlow.perSecond, 1))
  speeds.ratio.push(rounded(withSlow.perSecond / others.perSecond))
}
const delayedBy500ms = {
  bytesPerAnswer: 'cut off at the context of the models',
  medianRatio: median(speeds.ratio),
  ...speeds,
}
console.log('delayed', JSON.stringify(delayedBy500ms))

function mortal(session: DecodeSession, stepsToLive: number): DecodeSession {
  let left = stepsToLive
  return createDecodeSession({
    distribution: session.distribution,
    close: () => session.close(),
    step: (step, options) =>
      left-- > 0 ? session.step(step, options) : Promise.reject(new ModelNetError('PEER_LOST', 'killed')),
  })
}

const random = createRandom('robustness')
const deaths = { runs, complete: 0, sameAsUndisturbed: 0, replaced: 0 }
for (let run = 0; run < runs; run++) {
  const question = questions[run % questions.length]?.question ?? ''
  const undisturbed = await write(createFusedSession(await honestMembers(question), { lateMs: 30_000 }))
  const members = await honestMembers(question)
  const victim = Math.floor(random.next() * members.length)
  const stepsToLive = Math.floor(random.next() * (undisturbed.symbols + 1))
  const fused = createFusedSession(
    members.map((member, index) =>
      index === victim ? { ...member, session: mortal(member.session, stepsToLive) } : member,
    ),
    {
      lateMs: 30_000,
      replace: async lost => ({
        name: `${lost} again`,
        weight: 1,
        session: await open(family.model(lost.split('#')[0] ?? ''), question),
      }),
    },
  )
  let finished = false
  try {
    const { text } = await write(fused)
    finished = text.length > 0
    if (text === undisturbed.text) deaths.sameAsUndisturbed++
  } catch (error) {
    console.log('run', run, error)
  }
  if (finished) deaths.complete++
  deaths.replaced += fused.metrics.replaced
}
console.log('deaths', deaths)
await family.close()
writeResult('token-level-robustness', { honest, questions: questions.length, adversarial, delayedBy500ms, deaths })
