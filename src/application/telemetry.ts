import type { Tracing } from '../utils/tracing.ts'
import { createTracing } from './tracing.ts'

export interface Telemetry {
  readonly tracing: Tracing
  /** Sends what is left and stops. */
  close(): Promise<void>
}

/**
 * Sends spans to an OpenTelemetry collector by OTLP over HTTP. The SDK is loaded only here, so that a node without a
 * collector does not pay for it. The rest is said by the environment as OpenTelemetry specifies it, such as
 * `OTEL_SERVICE_NAME` and `OTEL_EXPORTER_OTLP_HEADERS`.
 */
export async function startTelemetry(endpoint: string): Promise<Telemetry> {
  const [{ BasicTracerProvider, BatchSpanProcessor }, { OTLPTraceExporter }, resources] = await Promise.all([
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ])
  const { defaultResource, detectResources, envDetector, resourceFromAttributes } = resources
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'modelnet' }))
    .merge(detectResources({ detectors: [envDetector] }))
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` })
  const provider = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter)] })
  return { tracing: createTracing(provider.getTracer('modelnet')), close: () => provider.shutdown() }
}
