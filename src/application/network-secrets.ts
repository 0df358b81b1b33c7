import { readFileSync } from 'node:fs'
import { ModelNetError } from '../utils/errors.ts'
import type { NodeConfig } from './config-schema.ts'
import type { NetworkConfig } from './network-schema.ts'
import { PUBLIC } from './policy.ts'

/** How a configuration's texts are looked up. */
export interface SecretSources {
  /** `env:NAME` from the environment, anything else unchanged. */
  readonly secret: (value: string) => string
  /** A path made absolute. */
  readonly path: (value: string) => string
}

const SWARM_KEY = /^[0-9a-f]{64}$/i
/** A compact JWS. */
const CERTIFICATE = /^[\w-]+\.[\w-]+\.[\w-]+$/

/**
 * The network section with swarm key and certificate read from where they lie. Throws INVALID_CONFIG when they cannot
 * be read, or when a policy names domains that nobody signs for.
 */
export function readNetworkSecrets(config: NodeConfig, sources: SecretSources): NetworkConfig {
  const { network } = config
  checkSubjects(config)
  const { swarmKey, admission } = network
  return {
    ...network,
    ...(swarmKey !== undefined && { swarmKey: readSecret('network.swarmKey', swarmKey, SWARM_KEY, sources) }),
    ...(admission && {
      admission: {
        ...admission,
        ...(admission.certificate !== undefined && {
          certificate: readSecret('network.admission.certificate', admission.certificate, CERTIFICATE, sources),
        }),
        ...(admission.revocations && {
          revocations: admission.revocations.map(list =>
            readSecret('network.admission.revocations', list, CERTIFICATE, sources),
          ),
        }),
      },
    }),
  }
}

/** The value itself, from the environment or from a file; its last line, as libp2p's `swarm.key` has two lines before. */
function readSecret(field: string, value: string, pattern: RegExp, { secret, path }: SecretSources): string {
  const given = secret(value)
  if (pattern.test(given)) return given
  const file = path(given)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    // The value is not repeated: it may be a secret that was mistyped.
    throw new ModelNetError('INVALID_CONFIG', `${field} is neither a valid value nor a file that can be read`, {
      cause,
    })
  }
  const last = text.trim().split('\n').at(-1)?.trim() ?? ''
  if (pattern.test(last)) return last
  throw new ModelNetError('INVALID_CONFIG', `${field}: ${file} does not hold what is expected there`)
}

const NODE_ID = /^12D3KooW/

/** A domain counts only by an operator's signature, so a list of domains without operators would admit nobody. */
function checkSubjects({ network, policy, models }: NodeConfig): void {
  const lists: readonly (readonly [string, readonly string[] | undefined])[] = [
    ['network.allow', network.allow],
    ['policy.serve', policy.serve],
    ['policy.ask', policy.ask],
    ...models.map(({ allow }, index) => [`models.${index}.allow`, allow] as const),
  ]
  if (network.admission) return
  for (const [field, subjects] of lists) {
    const domain = subjects?.find(subject => !NODE_ID.test(subject) && subject !== PUBLIC)
    if (domain !== undefined)
      throw new ModelNetError(
        'INVALID_CONFIG',
        `${field} names the domain ${domain}, which only an operator can vouch for: set network.admission.operators`,
      )
  }
}
