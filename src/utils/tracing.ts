/** Facts of a span, for those who look at traces. Never prompts, answers or keys. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

/** Where requests are followed through a network. Knows W3C Trace Context only, so that any tracer fits. */
export interface Tracing {
  /**
   * Follows a stream as one span: a child of `parent`, which came over the wire, else of the span in which it is read.
   * The span ends with the stream, as an error when the stream throws.
   */
  follow<T, R>(
    name: string,
    attributes: SpanAttributes,
    run: () => AsyncGenerator<T, R>,
    parent?: string,
  ): AsyncGenerator<T, R>
  /** The `traceparent` of the span this code runs in, to be sent to whoever works for it. */
  traceparent(): string | undefined
}

/** Follows nothing. */
export const noTracing: Tracing = {
  follow: (_name, _attributes, run) => run(),
  traceparent: () => undefined,
}

/** Version 00 of https://www.w3.org/TR/trace-context/: 32 and 16 hex digits, neither all zero. */
export const TRACEPARENT: RegExp = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/
