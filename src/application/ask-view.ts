import { z } from 'zod'
import { ModelNetError } from '../utils/errors.ts'
import { type ClientOptions, postEvents } from './client.ts'
import { duration, money, paint, printable, shortId, type Terminal } from './terminal.ts'

/** What a gateway says of a finished answer, beside the text: who made it and what it cost. */
export interface AnswerReport {
  readonly pathway: string
  readonly why: string
  readonly members: readonly {
    readonly model: string
    readonly node: string
    /** Share of the answer this member made, 0..1. */
    readonly share: number
    readonly tokens: number
    readonly ms: number
    readonly cost: number
  }[]
  readonly usage: { readonly promptTokens: number; readonly completionTokens: number }
  readonly ms: number
  readonly cost: number
}

/** One answer as `modelnet ask --json` prints it. */
export interface AskOutcome extends AnswerReport {
  readonly question: string
  readonly answer: string
}

const ReportSchema: z.ZodType<AnswerReport> = z.object({
  pathway: z.string(),
  why: z.string(),
  members: z.array(
    z.object({
      model: z.string(),
      node: z.string(),
      share: z.number(),
      tokens: z.number(),
      ms: z.number(),
      cost: z.number(),
    }),
  ),
  usage: z.object({ promptTokens: z.number(), completionTokens: z.number() }),
  ms: z.number(),
  cost: z.number(),
})

const ChunkSchema = z.object({
  choices: z.array(z.object({ delta: z.object({ content: z.string().nullish() }) })).default([]),
  modelnet: z
    .object({
      event: z.looseObject({ type: z.string() }).optional(),
      result: ReportSchema.optional(),
    })
    .optional(),
})

export interface AskOptions extends ClientOptions {
  readonly question: string
  /** A model, `model@node`, strategy or pathway. @default `modelnet/auto` */
  readonly model?: string
  /** Options of the request that are passed on as they are: `temperature`, `seed`, … */
  readonly request?: Readonly<Record<string, unknown>>
}

/**
 * Asks a gateway and shows the answer as it comes: who was chosen and why, the text, then time, cost and members.
 * With no `terminal` it only returns the outcome.
 */
export async function askAndShow(options: AskOptions, terminal?: Terminal): Promise<AskOutcome> {
  const body = {
    model: options.model ?? 'modelnet/auto',
    messages: [{ role: 'user', content: options.question }],
    stream: true,
    ...options.request,
    modelnet: { events: true },
  }
  let answer = ''
  let report: AnswerReport | undefined
  for await (const data of postEvents('/v1/chat/completions', body, options)) {
    const chunk = ChunkSchema.safeParse(data)
    if (!chunk.success)
      throw new ModelNetError('PROTOCOL_ERROR', `${options.url} sent an event that is not a chat chunk`)
    const event = chunk.data.modelnet?.event
    if (event && terminal) showEvent(terminal, event, answer === '')
    const text = chunk.data.choices[0]?.delta.content ?? ''
    if (text !== '' && terminal) {
      if (answer === '') terminal.out('  ')
      terminal.out(paint(terminal, 'bold', printable(text).replaceAll('\n', '\n  ')))
    }
    answer += text
    report = chunk.data.modelnet?.result ?? report
  }
  if (!report) throw new ModelNetError('PROTOCOL_ERROR', `${options.url} did not say how the answer was made`)
  if (terminal) terminal.out(`\n${paint(terminal, 'dim', `  ${summary(report)}`)}\n`)
  return { question: options.question, answer, ...report }
}

/** `single · geography …a1b2c3 · 12 tokens · 38 ms · free`. */
function summary(report: AnswerReport): string {
  const makers = report.members.filter(member => member.share > 0)
  const helpers = report.members.filter(member => member.share === 0)
  const members = makers.map(member => {
    const share = makers.length > 1 ? ` ${Math.round(member.share * 100)} %` : ''
    return `${member.model} ${shortId(member.node)}${share}`
  })
  const help = helpers.length > 0 ? `, helped by ${helpers.map(member => member.model).join(', ')}` : ''
  return [
    report.pathway,
    `${members.join(' + ')}${help}`,
    `${report.usage.completionTokens} tokens`,
    duration(report.ms),
    money(report.cost),
  ].join(' · ')
}

/** Choices and failures are told while they happen, unless text is already streaming. */
function showEvent(terminal: Terminal, event: Readonly<Record<string, unknown>>, quiet: boolean): void {
  const { type } = event
  if (type === 'pathway-start' && quiet)
    terminal.err(paint(terminal, 'cyan', `  ↳ ${withShortIds(printable(String(event['why'])))}\n`))
  if (type === 'call-end' && quiet) {
    const { model, answer } = event as { readonly model?: unknown; readonly answer?: { readonly text?: unknown } } // shown as text, whatever it is
    terminal.err(
      paint(terminal, 'dim', `    ${withShortIds(printable(String(model)))}: ${oneLine(String(answer?.text))}\n`),
    )
  }
  if (type === 'call-fail')
    terminal.err(
      paint(terminal, 'yellow', `  ! ${withShortIds(printable(String(event['message'])))}; looking for another\n`),
    )
}

/** Node ids in a sentence, shortened: a person tells nodes apart by their last characters. */
const withShortIds = (text: string): string =>
  text.replace(/@?(12D3KooW[1-9A-HJ-NP-Za-km-z]{44})/g, (_, nodeId: string) => ` ${shortId(nodeId)}`)

/** What a helper said, in one line of at most 100 characters. */
function oneLine(text: string): string {
  const line = printable(text).replace(/\s*\n\s*/g, ' ⏎ ')
  return line.length <= 100 ? line : `${line.slice(0, 99)}…`
}
