import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { parse as parseYaml } from 'yaml'
import { isHuggingFaceName } from '../resource/index.ts'
import { ModelNetError } from '../utils/errors.ts'
import { type ConfigInput, ConfigSchema, type NodeConfig } from './config-schema.ts'
import { readNetworkSecrets } from './network-secrets.ts'

export interface ConfigSources {
  /** A YAML or JSON file. */
  readonly file?: string
  /** Values that win over file and environment. */
  readonly overrides?: ConfigInput
  /** `network.relay=true`: any field, its value in YAML; wins over all else. */
  readonly settings?: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
}

/**
 * The configuration from file, environment and flags, the later winning, checked and with paths made absolute and
 * `env:NAME` resolved. Throws INVALID_CONFIG naming the field and what was expected.
 */
export function loadConfig(sources: ConfigSources = {}): NodeConfig {
  const env = sources.env ?? process.env
  const fromFile = sources.file === undefined ? {} : readConfigFile(sources.file)
  const layers = [fromEnvironment(env), sources.overrides ?? {}, ...(sources.settings ?? []).map(fromSetting)]
  const merged = layers.reduce(merge, fromFile)
  const config = parseConfig(merged, sources.file ?? 'the configuration')
  const base = sources.file === undefined ? process.cwd() : dirname(resolve(sources.file))
  return {
    ...config,
    dataDir: absolute(config.dataDir, base),
    network: readNetworkSecrets(config, {
      secret: value => resolveSecret(value, env),
      path: value => absolute(value, base),
    }),
    deploy: {
      ...config.deploy,
      ...(config.deploy.directory !== undefined && { directory: absolute(config.deploy.directory, base) }),
      ...(config.deploy.huggingFaceToken !== undefined && {
        huggingFaceToken: resolveSecret(config.deploy.huggingFaceToken, env),
      }),
    },
    service: {
      ...config.service,
      ...(config.service.router !== undefined && { router: absolute(config.service.router, base) }),
      probeQuestions: config.service.probeQuestions.map(file => absolute(file, base)),
    },
    gateway: { ...config.gateway, keys: config.gateway.keys.map(key => resolveSecret(key, env)) },
    models: config.models.map(model => ({
      ...model,
      ...(model.file !== undefined && { file: absolute(model.file, base) }),
      ...(model.key !== undefined && { key: resolveSecret(model.key, env) }),
    })),
  }
}

function parseConfig(value: unknown, origin: string): NodeConfig {
  const result = ConfigSchema.safeParse(value)
  if (result.success) return result.data
  const problems = result.error.issues.map(issue => `${issue.path.join('.') || '(top level)'}: ${issue.message}`)
  throw new ModelNetError('INVALID_CONFIG', `${origin} is not valid: ${problems.join('; ')}`)
}

function readConfigFile(file: string): unknown {
  try {
    return parseYaml(readFileSync(file, 'utf8')) ?? {}
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ModelNetError('INVALID_CONFIG', `cannot read the configuration ${file}: ${reason}`, { cause })
  }
}

/** `MODELNET_PORT=0` and the like; each row is a variable, where it goes, and how its text is read. */
const ENVIRONMENT: readonly (readonly [string, readonly string[], (text: string) => unknown])[] = [
  ['MODELNET_NAME', ['name'], String],
  ['MODELNET_DATA_DIR', ['dataDir'], String],
  ['MODELNET_LISTEN', ['network', 'listen'], splitList],
  ['MODELNET_BOOTSTRAP', ['network', 'bootstrap'], splitList],
  ['MODELNET_MDNS', ['network', 'mdns'], isOn],
  ['MODELNET_ANNOUNCE', ['network', 'announce'], splitList],
  ['MODELNET_NETWORK', ['network', 'name'], String],
  ['MODELNET_SWARM_KEY', ['network', 'swarmKey'], String],
  ['MODELNET_RELAY', ['network', 'relay'], isOn],
  ['MODELNET_RELAYED', ['network', 'relayed'], text => (text.startsWith('/') ? splitList(text) : isOn(text))],
  ['MODELNET_DOMAIN', ['network', 'domain'], String],
  ['MODELNET_ALLOW', ['network', 'allow'], splitList],
  ['MODELNET_OPERATORS', ['network', 'admission', 'operators'], splitList],
  ['MODELNET_CERTIFICATE', ['network', 'admission', 'certificate'], String],
  ['MODELNET_REVOCATIONS', ['network', 'admission', 'revocations'], splitList],
  ['MODELNET_DISCOVERY', ['network', 'discovery'], String],
  ['MODELNET_HOST', ['gateway', 'host'], String],
  ['MODELNET_PORT', ['gateway', 'port'], Number],
  ['MODELNET_KEYS', ['gateway', 'keys'], splitList],
  ['MODELNET_DEPLOY', ['deploy', 'allow'], isOn],
  ['MODELNET_SHARE_WEIGHTS', ['deploy', 'share'], isOn],
  ['MODELNET_CACHE', ['deploy', 'directory'], String],
  ['HF_ENDPOINT', ['deploy', 'huggingFaceUrl'], String],
  ['HF_TOKEN', ['deploy', 'huggingFaceToken'], String],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', ['tracing', 'endpoint'], String],
  ['MODELNET_LOG_LEVEL', ['logLevel'], String],
]

/** `network.relay=true` as `{network: {relay: true}}`. */
function fromSetting(text: string): unknown {
  const [path, ...rest] = text.split('=')
  const value = rest.join('=')
  if (!path || rest.length === 0)
    throw new ModelNetError('INVALID_CONFIG', `expected field=value such as network.relay=true, got ${text}`)
  try {
    return path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), parseYaml(value))
  } catch (cause) {
    throw new ModelNetError('INVALID_CONFIG', `the value of ${path} is not YAML: ${value}`, { cause })
  }
}

function fromEnvironment(env: Readonly<Record<string, string | undefined>>): unknown {
  let config: unknown = {}
  for (const [name, path, read] of ENVIRONMENT) {
    const text = env[name]
    if (text === undefined || text === '') continue
    config = merge(
      config,
      path.reduceRight<unknown>((value, key) => ({ [key]: value }), read(text)),
    )
  }
  return config
}

function isOn(text: string): boolean {
  return text !== '0' && text !== 'false'
}

function splitList(text: string): string[] {
  return text.split(',').filter(part => part !== '')
}

function resolveSecret(value: string, env: Readonly<Record<string, string | undefined>>): string {
  if (!value.startsWith('env:')) return value
  const name = value.slice('env:'.length)
  const found = env[name]
  if (found === undefined || found === '')
    throw new ModelNetError(
      'INVALID_CONFIG',
      `the environment variable ${name} is not set, but the configuration refers to it`,
    )
  return found
}

function absolute(path: string, base: string): string {
  if (isHuggingFaceName(path)) return path
  if (path === '~' || path.startsWith('~/')) return join(homedir(), path.slice(1))
  return isAbsolute(path) ? path : resolve(base, path)
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Objects field by field, everything else whole; `undefined` changes nothing. */
function merge(below: unknown, above: unknown): unknown {
  if (above === undefined) return below
  if (!isRecord(below) || !isRecord(above)) return above
  const result: Record<string, unknown> = { ...below }
  for (const [key, value] of Object.entries(above)) result[key] = merge(result[key], value)
  return result
}
