import { execFile, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Ajv } from 'ajv'
import { validate as lintDockerfile } from 'dockerfile-utils'
import * as apps from 'kubernetes-models/apps/v1'
import * as networking from 'kubernetes-models/networking.k8s.io/v1'
import * as policy from 'kubernetes-models/policy/v1'
import * as core from 'kubernetes-models/v1'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../src/application/index.ts'
import {
  type ClusterObject,
  chartFolder,
  deployFolder,
  RENDERINGS,
  readYaml,
  sourceDigest,
  toObjects,
  valuesOf,
  writeAsProgram,
} from './support/chart.ts'
import { startNode, temporaryDirectory } from './support/processes.ts'

const execute = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
/** What the chart may make, by API version. */
const KINDS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  v1: core,
  'apps/v1': apps,
  'networking.k8s.io/v1': networking,
  'policy/v1': policy,
}
const has = (command: string, argument: string): boolean => spawnSync(command, [argument]).status === 0
const checkValues = new Ajv({ allowUnionTypes: true }).compile(
  JSON.parse(readFileSync(join(chartFolder, 'values.schema.json'), 'utf8')),
)

describe.each(RENDERINGS)('the chart with $name', rendering => {
  const text = readFileSync(rendering.file, 'utf8')
  const objects = toObjects(text)
  const one = (kind: string, name = 'modelnet'): ClusterObject => {
    const found = objects.find(object => object.kind === kind && object.metadata.name === name)
    if (!found) throw new Error(`no ${kind} ${name}`)
    return found
  }
  // a path into objects that the schemas accept
  const at = (object: ClusterObject, path: string): unknown =>
    path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], object)

  it('is rendered from the chart as it stands', () => {
    expect(text.split('\n')[0], 'render the chart anew: see docs/operating.md').toBe(
      `# Rendered from deploy/helm/modelnet, sha256 ${sourceDigest(rendering)}`,
    )
  })

  it.runIf(has('helm', 'version'))('is what helm renders', async () => {
    const values = rendering.values === undefined ? [] : ['--values', rendering.values]
    const { stdout } = await execute('helm', ['template', 'modelnet', chartFolder, '--namespace', 'default', ...values])
    const sorted = (all: readonly ClusterObject[]): readonly ClusterObject[] =>
      all.toSorted((a, b) => `${a.kind} ${a.metadata.name}`.localeCompare(`${b.kind} ${b.metadata.name}`))
    expect(sorted(toObjects(stdout))).toEqual(sorted(objects))
  })

  it('has values that its schema accepts', () => {
    expect(checkValues(valuesOf(rendering)), JSON.stringify(checkValues.errors)).toBe(true)
  })

  it('is accepted by the schemas of Kubernetes', () => {
    expect(objects.length).toBeGreaterThan(5)
    for (const object of objects) {
      const models: Readonly<Record<string, unknown>> = KINDS[object.apiVersion] ?? {}
      const Model = models[object.kind] as (new (object: ClusterObject) => { validate(): void }) | undefined // by its name
      if (!Model) throw new Error(`Kubernetes has no ${object.apiVersion} ${object.kind}`)
      new Model(object).validate()
    }
  })

  it('has no field that Kubernetes does not know', async () => {
    const compile = (all: readonly ClusterObject[]): Promise<unknown> =>
      execute(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', writeAsProgram(all)])
    await compile(objects)
    const spec = { ...one('Service').spec, selektor: {} }
    await expect(compile([{ ...one('Service'), spec }])).rejects.toThrow()
  })

  it('gives every node a configuration that the program accepts', () => {
    const file = join(temporaryDirectory(), 'modelnet.yaml')
    writeFileSync(file, one('ConfigMap').data?.['modelnet.yaml'] ?? '')
    const { network, gateway, dataDir } = loadConfig({ file, env: { MODELNET_KEY: 'secret' } })
    const peers = at(one('Service', 'modelnet-peers'), 'spec.ports.0.port')
    expect(network.listen).toEqual([`/ip4/0.0.0.0/tcp/${peers}`])
    expect(network.bootstrap).toContain(`/dns/modelnet-0.modelnet-peers.default.svc/tcp/${peers}`)
    expect(gateway.port).toBe(at(one('Service'), 'spec.ports.0.port'))
    expect(gateway.keys).toEqual(rendering.values === undefined ? [] : ['secret'])
    const container = at(one('StatefulSet'), 'spec.template.spec.containers.0') as object
    expect(container).toMatchObject({ volumeMounts: expect.arrayContaining([{ name: 'data', mountPath: dataDir }]) })
  })

  it('leads both services, the budget and the set to the same pods', () => {
    const labels = at(one('StatefulSet'), 'spec.template.metadata.labels')
    expect(at(one('StatefulSet'), 'spec.serviceName')).toBe('modelnet-peers')
    expect(at(one('Service', 'modelnet-peers'), 'spec.clusterIP')).toBe('None')
    for (const selector of [
      at(one('StatefulSet'), 'spec.selector.matchLabels'),
      at(one('PodDisruptionBudget'), 'spec.selector.matchLabels'),
      at(one('Service'), 'spec.selector'),
      at(one('Service', 'modelnet-peers'), 'spec.selector'),
    ])
      expect(labels).toMatchObject(selector as object)
  })
})

describe('the schema of values', () => {
  const values = readYaml(join(chartFolder, 'values.yaml')) as Record<string, object>
  it.each([
    ['a misspelt value', { replcas: 2 }],
    ['no node', { replicas: 0 }],
    ['a port out of range', { peers: { port: 70_000, bootstrapNodes: 1 } }],
    ['a configuration that sets what the chart decides', { config: { network: { listen: [] } } }],
    ['a size without a unit of Kubernetes', { persistence: { size: '20GB' } }],
  ])('refuses %s', (_, change) => {
    expect(checkValues({ ...values, ...change })).toBe(false)
  })
})

describe('the image', () => {
  const dockerfile = readFileSync(join(deployFolder, 'docker', 'Dockerfile'), 'utf8')
  const setting = (name: string): string => new RegExp(`^${name} (\\[.*\\])$`, 'm').exec(dockerfile)?.[1] ?? ''
  const environment = Object.fromEntries(
    [...dockerfile.matchAll(/(MODELNET_\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  )

  it('has no fault that a linter sees, and does not run as root', () => {
    expect(lintDockerfile(dockerfile).map(({ message }) => message)).toEqual([])
    expect(dockerfile).toMatch(/^USER 1000:1000$/m)
  })

  it('starts a node by its entry point, is healthy by its own check, and ends at SIGTERM', async () => {
    const entry = JSON.parse(setting('ENTRYPOINT')) as string[]
    expect(entry).toEqual(['node', '/app/bin/modelnet.js'])
    expect(JSON.parse(setting('CMD'))).toEqual(['serve'])
    const [, ...check] = JSON.parse(/^ {2}CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]') as string[]
    // the image's environment, but for places that belong to this machine: a free port, loopback, a folder
    const node = await startNode(['--listen', '/ip4/127.0.0.1/tcp/0', '--host', '127.0.0.1'], {
      MODELNET_MDNS: environment['MODELNET_MDNS'] ?? '',
    })
    try {
      const MODELNET_PORT = new URL(node.gateway).port
      await execute(process.execPath, check, { env: { ...process.env, MODELNET_PORT } })
      await expect(
        execute(process.execPath, check, { env: { ...process.env, MODELNET_PORT: '1' } }),
      ).rejects.toMatchObject({ code: 1 })
    } finally {
      expect(await node.stop()).toBe(0)
    }
  })

  it('sets only what a node reads', () => {
    const { gateway, network, dataDir } = loadConfig({ env: environment })
    expect(gateway).toMatchObject({ host: '0.0.0.0', port: 8747 })
    expect(network).toMatchObject({ listen: ['/ip4/0.0.0.0/tcp/4001'], mdns: false })
    expect(dockerfile).toContain(`VOLUME ${dataDir}`)
  })
})

describe('the systemd unit', () => {
  const file = join(deployFolder, 'systemd', 'modelnet.service')
  const unit = readFileSync(file, 'utf8')

  it.runIf(has('systemd-analyze', '--version'))('is accepted and confined', async () => {
    const { stderr } = await execute('systemd-analyze', ['verify', file])
    expect(stderr).not.toContain('modelnet.service')
    // exits with 1 above this exposure (0 none to 100 all)
    await execute('systemd-analyze', ['security', '--offline=true', '--threshold=20', file])
  })

  it('starts a node with its command line', async () => {
    const folder = temporaryDirectory()
    const config = join(folder, 'modelnet.yaml')
    writeFileSync(config, 'network: { mdns: false }\ngateway: { port: 0 }\nmodels: [{ shipped: geography }]\n')
    const command = /^ExecStart=\/usr\/bin\/env modelnet (.*)$/m.exec(unit)?.[1] ?? ''
    const args = command.replace('/etc/modelnet/modelnet.yaml', config).replace('%S/modelnet', folder).split(' ')
    const node = await startNode(args.slice(1))
    try {
      expect(node.models).toEqual(['modelnet/geography'])
    } finally {
      expect(await node.stop()).toBe(0)
    }
  })
})
