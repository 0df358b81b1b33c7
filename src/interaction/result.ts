import type { FinishReason, Usage } from '../protocol/index.ts'
import type { AnswerFormat } from './answers/key.ts'
import { keyOf } from './answers/key.ts'
import type { PathwayEvent } from './pathway/path.ts'
import type { Trace } from './trace.ts'

/** What one model at one node did for an answer. */
export interface MemberReport {
  readonly model: string
  readonly node: string
  /** Part of the answer that is its own, 0..1: of a joint text what it chose, of a vote an equal part of the winners'. */
  readonly share: number
  /** Completion tokens. */
  readonly tokens: number
  /** Time it worked, calls one after another added up. */
  readonly ms: number
  readonly cost: number
}

/** A finished answer of the network. */
export interface AskResult {
  readonly text: string
  readonly finish: FinishReason
  /** Text form of what ran. */
  readonly pathway: string
  readonly why: string
  readonly members: readonly MemberReport[]
  readonly usage: Usage
  readonly ms: number
  readonly cost: number
  /** 0..1 where the pathway can say. */
  readonly confidence?: number
  readonly trace: Trace
}

type CallEnd = Extract<PathwayEvent, { type: 'call-end' }>

/** Who did what, from the calls that ended; heaviest share first. */
export function membersFrom(calls: readonly CallEnd[], text: string, format: AnswerFormat): readonly MemberReport[] {
  const key = keyOf(text, format)
  const same = (call: CallEnd): boolean =>
    call.answer.text.trim() === text.trim() || (key !== undefined && keyOf(call.answer.text, format) === key)
  const winners = calls.filter(same)
  const total = winners.reduce((sum, { share }) => sum + (share ?? 1), 0)
  const members = new Map<string, MemberReport>()
  for (const call of calls) {
    const name = `${call.model}@${call.node}`
    const known = members.get(name)
    const share = total > 0 && winners.includes(call) ? (call.share ?? 1) / total : 0
    members.set(name, {
      model: call.model,
      node: call.node,
      share: (known?.share ?? 0) + share,
      tokens: (known?.tokens ?? 0) + call.answer.usage.completionTokens,
      ms: (known?.ms ?? 0) + call.ms,
      cost: (known?.cost ?? 0) + call.cost,
    })
  }
  return [...members.values()].sort((a, b) => b.share - a.share)
}

/** Tokens of all calls together. */
export const usageOf = (calls: readonly CallEnd[]): Usage => ({
  promptTokens: calls.reduce((sum, { answer }) => sum + answer.usage.promptTokens, 0),
  completionTokens: calls.reduce((sum, { answer }) => sum + answer.usage.completionTokens, 0),
})
