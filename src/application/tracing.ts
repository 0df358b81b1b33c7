import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { toModelNetError } from '../utils/errors.ts'
import { TRACEPARENT, type Tracing } from '../utils/tracing.ts'

/** Spans of an OpenTelemetry tracer. The current span follows the code that reads a stream, also through `await`. */
export function createTracing(tracer: Tracer): Tracing {
  const current = new AsyncLocalStorage<Context>()

  return {
    traceparent() {
      const span = trace.getSpanContext(current.getStore() ?? ROOT_CONTEXT)
      if (!span || !isSpanContextValid(span)) return undefined
      return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`
    },
    async *follow(name, attributes, run, parent) {
      const remote = parent === undefined ? undefined : readTraceparent(parent)
      const outer = remote ? trace.setSpanContext(ROOT_CONTEXT, remote) : (current.getStore() ?? ROOT_CONTEXT)
      const kind = remote ? SpanKind.SERVER : SpanKind.INTERNAL
      const span = tracer.startSpan(name, { attributes, kind }, outer)
      const inner = trace.setSpan(outer, span)
      const stream = current.run(inner, run)
      let isDone = false
      try {
        for (;;) {
          // A generator's code runs where `next` is called, so each step is taken inside the span.
          const step = await current.run(inner, () => stream.next())
          if (step.done) {
            isDone = true
            return step.value
          }
          yield step.value
        }
      } catch (error) {
        isDone = true
        const { code } = toModelNetError(error)
        span.setAttribute('error.type', code)
        span.setStatus({ code: SpanStatusCode.ERROR, message: code })
        throw error
      } finally {
        // The reader stopped early: what made the stream is freed.
        if (!isDone) await current.run(inner, () => stream.return(undefined as never))
        span.end()
      }
    },
  }
}

/** A parent that came over the wire; undefined when it is not of the form. */
function readTraceparent(text: string): SpanContext | undefined {
  if (!TRACEPARENT.test(text)) return undefined
  const [, traceId = '', spanId = '', flags = ''] = text.split('-')
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
}
