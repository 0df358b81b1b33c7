import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { Tracing } from '../utils/tracing.ts'
import { createTracing } from './tracing.ts'

export interface Telemetry {
  readonly tracing: Tracing
  /** Sends what is left and stops. */
  close(): Promise<void>
}

/**
 * Sends spans to an OpenTelemetry collector by OTLP over HTTP. Import this file when there is a
 * collector: a node without one does not pay for the SDK. The rest is said by the environment as OpenTelemetry specifies it, such as
 * `OTEL_SERVICE_NAME` and `OTEL_EXPORTER_OTLP_HEADERS`.
 */
export function startTelemetry(endpoint: string): Telemetry {
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'modelnet' }))
    .merge(detectResources({ detectors: [envDetector] }))
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` })
  const provider = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter)] })
  return { tracing: createTracing(provider.getTracer('modelnet')), close: () => provider.shutdown() }
}
