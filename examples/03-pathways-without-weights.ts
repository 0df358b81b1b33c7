/**
 * Pathways over scripted models, for trying out strategies without weights: a vote that one wrong member cannot turn.
 * Run: npx tsx examples/03-pathways-without-weights.ts
 * Prints: 85
 */
import { createCoordinator } from '../src/interaction/index.ts'
import { createCapabilityMap, createFailoverModel, createMatcher, createTaskAnalyser } from '../src/service/index.ts'
import { createScriptedModel } from '../src/testing/index.ts'
import { systemClock as clock } from '../src/utils/clock.ts'
import { createRandom } from '../src/utils/random.ts'

const models = ['85', '85', '13'].map((answer, index) =>
  createScriptedModel({ id: `model-${index}`, node: 'here', answer }),
)
const abilities = createCapabilityMap({ clock })
const coordinator = createCoordinator({
  matcher: createMatcher({ offers: () => models.map(model => ({ model, nodeId: 'here', state: 'alive' })), abilities }),
  abilities,
  analyser: createTaskAnalyser(),
  failover: candidates => createFailoverModel(candidates, { clock }),
  clock,
  random: createRandom(1),
})
const run = coordinator.ask(
  {
    id: 'example',
    messages: [{ role: 'user', content: 'What is 58 plus 27?' }],
    options: {},
    budget: { calls: 3 },
    preference: { quality: 1, cost: 0, latency: 0 },
  },
  { pathway: '(model-0|model-1|model-2) ! vote' },
)
let step = await run.next()
while (!step.done) step = await run.next()
console.log(step.value.text)
