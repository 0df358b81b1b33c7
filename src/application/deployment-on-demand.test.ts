import { describe, expect, it } from 'vitest'
import type { Coordinator } from '../interaction/index.ts'
import type { DeployableModel } from '../resource/index.ts'
import type { Task } from '../service/index.ts'
import { ModelNetError } from '../utils/errors.ts'
import { silentLogger } from '../utils/logger.ts'
import { withDeployment } from './deployment-on-demand.ts'

const KNOWN = ['lab/a', 'lab/b']
const task = { id: 't' } as Task // the coordinator below does not look at it
const notFound = new ModelNetError('MODEL_NOT_FOUND', 'no node offers a model named lab/a')

/** What was started, in order, and whether the coordinator could answer then. */
async function ask(
  term: unknown,
  { live = [], failure }: { readonly live?: readonly string[]; readonly failure?: ModelNetError } = {},
): Promise<{ readonly started: readonly string[]; readonly outcome: string }> {
  const running = new Set(live)
  const started: string[] = []
  const coordinator = {
    inspect: () => ({ term }),
    async *ask() {
      if (
        !JSON.stringify(term)
          .match(/lab\/\w/g)
          ?.some(id => running.has(id))
      )
        throw notFound
      return { text: 'answered' }
    },
  } as unknown as Coordinator // what withDeployment asks of it
  const { ask } = withDeployment(coordinator, {
    catalogue: { find: name => (KNOWN.includes(name) ? ({ id: name } as DeployableModel) : undefined) },
    deployer: {
      isLive: id => running.has(id),
      async ensure(id) {
        started.push(id)
        if (failure) throw failure
        running.add(id)
        return { id, node: 'n', movedBytes: 0, started: true }
      },
    },
    logger: silentLogger,
  })
  const outcome = await ask(task, { pathway: 'x' })
    .next()
    .then(
      ({ value }) => ('text' in value ? value.text : ''),
      error => error.code,
    )
  return { started, outcome }
}

describe('a coordinator with deployment on demand', () => {
  it.each([
    ['a model that nobody runs', { call: 'lab/a' }, [], ['lab/a']],
    [
      'all that a pathway names, wherever they stand',
      { seq: [{ call: 'lab/a' }, { decode: { lift: 'lab/b' } }] },
      [],
      KNOWN,
    ],
    ['nothing that runs already', { seq: [{ call: 'lab/a' }, { call: 'lab/b' }] }, ['lab/b'], ['lab/a']],
    ['each model once', { par: [{ call: 'lab/a' }, { call: 'lab/a' }] }, [], ['lab/a']],
  ])('starts %s', async (_, term, live, started) => {
    expect(await ask(term, { live })).toEqual({ started, outcome: 'answered' })
  })

  it('starts nothing for names that nobody ever heard of', async () => {
    expect(await ask({ call: 'lab/zz' })).toEqual({ started: [], outcome: 'MODEL_NOT_FOUND' })
  })

  it('goes on with what runs when one of several models cannot be started', async () => {
    const failure = new ModelNetError('NO_CANDIDATE', 'no memory')
    const { outcome } = await ask({ orElse: [{ call: 'lab/a' }, { call: 'lab/b' }] }, { live: ['lab/b'], failure })
    expect(outcome).toBe('answered')
  })

  it.each([
    ['why it could not be started, when nothing else answers', 'NO_CANDIDATE', 'NO_CANDIDATE'],
    ['that nobody offers it, when no node may start it', 'FORBIDDEN', 'MODEL_NOT_FOUND'],
  ] as const)('says %s', async (_, code, outcome) => {
    const failure = new ModelNetError(code, 'not here')
    expect((await ask({ call: 'lab/a' }, { failure })).outcome).toBe(outcome)
  })
})
