import { pino } from 'pino'
import { type Logger, silentLogger } from '../utils/logger.ts'
import type { NodeConfig } from './config-schema.ts'

/** Structured lines on standard error, so that standard output stays for results. Keys are cut out wherever they stand. */
export function createLogger(level: NodeConfig['logLevel'], bindings: Readonly<Record<string, string>>): Logger {
  if (level === 'silent') return silentLogger
  const redact = ['*.apiKey', '*.key', '*.keys', '*.authorization', 'apiKey', 'key', 'keys', 'authorization']
  const logger = pino({ level, base: bindings, redact }, pino.destination({ dest: 2, sync: true }))
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  }
}
