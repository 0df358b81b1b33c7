import { describe, it } from 'vitest'
import { createIdentity, createLibp2pNetwork, createMemoryHub } from '../src/network/index.ts'
import { createManualClock } from '../src/testing/manual-clock.ts'
import { networkSuite } from '../src/testing/network-suite.ts'
import { systemClock } from '../src/utils/clock.ts'
import { silentLogger } from '../src/utils/logger.ts'

const hub = createMemoryHub({ clock: createManualClock() })
const slow = createMemoryHub({ clock: systemClock, latencyMs: () => 1 })

describe.each([
  ['in memory', networkSuite({ create: () => hub.createNetwork() })],
  ['in memory with latency', networkSuite({ create: () => slow.createNetwork() })],
  [
    'over libp2p',
    networkSuite({
      create: () => createLibp2pNetwork({ identity: createIdentity(), clock: systemClock, logger: silentLogger }),
    }),
  ],
])('a network %s', (_name, cases) => {
  for (const { name, run } of cases) it(name, run)
})
