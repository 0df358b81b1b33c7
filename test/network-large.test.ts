import { afterEach, describe, expect, it } from 'vitest'
import type { ConfigInput } from '../src/application/config-schema.ts'
import type { Node } from '../src/application/node.ts'
import { addressOf, closeConfigured, startConfigured as start } from './support/configured-nodes.ts'

afterEach(closeConfigured)

const CAPITAL = 'What is the capital of France?'
const knows = (node: Node, other: Node): boolean => node.directory.entry(other.id)?.state === 'alive'

/** Nodes that join through the first one; those of a model shipped under the names given, the others without any. */
async function startAll(
  models: readonly (string | undefined)[],
  network: ConfigInput['network'],
): Promise<readonly Node[]> {
  const started: Node[] = []
  for (const shipped of models) {
    const bootstrap = started[0] ? [addressOf(started[0])] : []
    started.push(await start({ models: shipped ? [{ shipped }] : [], network: { ...network, bootstrap } }))
  }
  return started
}

describe('a network that is too large for everyone to know everyone', () => {
  it('is found through capability ads only: cards, models and answers', async () => {
    const [first, geography, words, late] = await startAll([undefined, 'geography', 'words', undefined], {
      discovery: 'ads',
    })
    if (!first || !geography || !words || !late) throw new Error('four nodes')
    expect(late.directory.mode).toBe('ads')
    expect(knows(late, geography)).toBe(false)
    // Routing tables fill and ads are put while a newcomer asks.
    const answer = (question: string, pathway?: string): Promise<string> =>
      late.ask(question, pathway === undefined ? {} : { pathway }).then(
        ({ text }) => text,
        error => error.code,
      )
    await expect.poll(() => answer(CAPITAL), { timeout: 60_000 }).toContain('Paris')
    expect(knows(late, geography)).toBe(true)
    // Verified on the way: the entry holds the signed card of the node that the ad named.
    expect(late.directory.entry(geography.id)?.cards).toMatchObject([{ id: 'modelnet/geography', node: geography.id }])
    await expect.poll(() => answer('What is the plural of box?', 'words'), { timeout: 60_000 }).toContain('boxes')
  })

  it('begins with gossip and goes over to ads when it has grown', async () => {
    const network = { gossipedMembers: 4 }
    const small = await startAll([undefined, 'geography', undefined], network)
    expect(small.map(({ directory }) => directory.mode)).toEqual(['gossip', 'gossip', 'gossip'])
    const bootstrap = small.map(addressOf)
    const more: Node[] = []
    for (const shipped of ['words', 'elements', 'units'])
      more.push(await start({ models: [{ shipped }], network: { ...network, bootstrap } }))
    const all = [...small, ...more]
    await expect.poll(() => all.every(({ directory }) => directory.mode === 'ads'), { timeout: 60_000 }).toBe(true)
    // Fewer are known than there are, and each is found when it is needed.
    await expect
      .poll(() => all.some(({ directory }) => directory.entries().length < all.length), { timeout: 60_000 })
      .toBe(true)
    for (const node of all)
      await expect
        .poll(
          () =>
            node.ask(CAPITAL).then(
              ({ text }) => text,
              error => error.code,
            ),
          { timeout: 60_000 },
        )
        .toContain('Paris')
    // A newcomer learns from those it meets that ads are used here, however few it knows.
    const late = await start({ network: { ...network, bootstrap } })
    await expect.poll(() => late.directory.mode, { timeout: 60_000 }).toBe('ads')
  })
})
