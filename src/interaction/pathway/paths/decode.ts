import type { FinishReason, Usage } from '../../../protocol/index.ts'
import { toModelNetError } from '../../../utils/errors.ts'
import { withoutReasoning } from '../../answers/reasoning.ts'
import type { FusionMetrics } from '../../fusion/index.ts'
import { decodeText } from '../../fusion/index.ts'
import { roleFor, toMessages } from '../../prompts.ts'
import { oneCall, parallel } from '../bounds.ts'
import { isUnwanted, withAnswers } from '../context.ts'
import { referencesOf } from '../decoder-plan.ts'
import type { OpenedDecoder } from '../decoders.ts'
import { openDecoder } from '../decoders.ts'
import type { Grant, Ledger } from '../ledger.ts'
import { costOf } from '../ledger.ts'
import type { Path, PathwayContext, PathwayEvent } from '../path.ts'
import { replayJoint } from '../replay-call.ts'
import type { DecoderTerm } from '../term.ts'
import { estimateTokens } from '../trimming.ts'

/** Writes one text with a decoder: one model, or several that are fused symbol by symbol. */
export function decodePath(decoder: DecoderTerm, maxTokens?: number): Path {
  const references = referencesOf(decoder)
  return {
    kind: 'decode',
    bound: given => ({
      ...parallel(
        references.map(reference =>
          oneCall(reference, { ...given, ...(maxTokens === undefined ? {} : { maxTokens }) }, 'tokens'),
        ),
      ),
      answers: 1,
    }),
    async *run(board, context) {
      if (context.recorded) return yield* replayJoint(board, references.length, context, context.recorded)
      const told: PathwayEvent[] = []
      const messages = toMessages(board, roleFor('auto', board.answers.length), context.random)
      const asked = { ...board, task: { ...board.task, messages } }
      const opened = await openDecoder(decoder, asked, context, event => told.push(event), board.task.messages)
      const started = context.clock.monotonic()
      const members = opened.voices.map((voice, index) => ({ ...voice, call: `${context.scope}.m${index}` }))
      const promptTokens = estimateTokens(messages)
      const limits = board.task.options.maxTokens ?? Infinity
      const ledgers = context.ledger.split(members.length)
      const grants: Grant[] = []
      const result = {
        text: '',
        finish: 'stop' as FinishReason,
        usage: { promptTokens: 0, completionTokens: 0 } as Usage,
      }
      try {
        for (const [index, { candidate }] of members.entries()) {
          const ledger = ledgers[index] as Ledger // one for each member
          grants.push(ledger.reserve(promptTokens, Math.min(limits, maxTokens ?? Infinity), candidate.model.card.price))
        }
        yield* told.splice(0)
        for (const { call, candidate, name } of members)
          yield {
            type: 'call-start',
            call,
            model: candidate.model.card.id,
            node: name.slice(name.lastIndexOf('@') + 1),
            why: 'writes jointly',
          }
        yield* write(opened, result, Math.min(...grants.map(({ tokens }) => tokens)), told, board.task.options, context)
        const shares = opened.shares()
        const joint = opened.metrics?.()
        if (joint)
          yield { type: 'note', stage: context.scope, message: 'what the joint text took', facts: factsOf(joint) }
        const ms = context.clock.monotonic() - started
        const text = withoutReasoning(result.text)
        const tainted = board.answers.length > 0 ? { tainted: true } : {}
        for (const { call, candidate, name } of members)
          yield {
            type: 'call-end',
            call,
            model: candidate.model.card.id,
            node: name.slice(name.lastIndexOf('@') + 1),
            ms,
            cost: costOf(result.usage, candidate.model.card.price),
            share: shares.get(name) ?? 0,
            answer: { text, by: name, usage: result.usage, finish: result.finish, ...tainted },
          }
        const by = opened.voices.map(({ name }) => name).join(' + ')
        const usage = {
          promptTokens: result.usage.promptTokens * members.length,
          completionTokens: result.usage.completionTokens * members.length,
        }
        return withAnswers(board, [{ text, by, usage, finish: result.finish, ...tainted }])
      } catch (cause) {
        const { code, message } = toModelNetError(cause, 'ENGINE_FAILED')
        yield* told.splice(0)
        const ms = context.clock.monotonic() - started
        const failure = {
          type: 'call-fail' as const,
          code,
          message,
          ms,
          ...(isUnwanted(context) ? { stopped: true } : {}),
          ...(result.text === '' ? {} : { text: result.text }),
        }
        for (const { call } of members) yield { ...failure, call }
        throw cause
      } finally {
        for (const [index, grant] of grants.entries())
          ledgers[index]?.settle(grant, result.usage, costOf(result.usage, members[index]?.candidate.model.card.price))
        await opened.session.close()
      }
    },
  }
}

/** Figures of a joint text as a trace tells them: counts in all, and per step of asking all. */
function factsOf(metrics: FusionMetrics): Readonly<Record<string, unknown>> {
  const { steps, drafts, bytes, positions, candidates, waitingMs, combiningMs } = metrics
  const per = (value: number, count: number): number => (count > 0 ? value / count : 0)
  return {
    ...metrics,
    roundTrips: steps + drafts,
    candidatesPerStep: per(candidates, positions),
    bytesPerStep: per(bytes, steps),
    waitingMsPerStep: per(waitingMs, steps),
    combiningMsPerStep: per(combiningMs, steps),
  }
}

async function* write(
  { session }: OpenedDecoder,
  result: { text: string; finish: FinishReason; usage: Usage },
  granted: number,
  told: PathwayEvent[],
  { temperature, topP, seed, stop }: { temperature?: number; topP?: number; seed?: number; stop?: readonly string[] },
  context: PathwayContext,
): AsyncGenerator<PathwayEvent> {
  const parts = decodeText(session, {
    signal: context.signal,
    clock: context.clock,
    ...(Number.isFinite(granted) ? { maxTokens: granted } : {}),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(seed === undefined ? {} : { seed }),
    ...(stop === undefined ? {} : { stop }),
  })
  for await (const part of parts) {
    yield* told.splice(0)
    if (part.type === 'finish') {
      result.finish = part.reason
      result.usage = part.usage
    } else {
      result.text += part.text
      yield { type: 'call-delta', call: context.scope, text: part.text, final: context.visible }
      if (context.visible) yield { type: 'text-delta', text: part.text }
    }
  }
  yield* told.splice(0)
}
