import { readFileSync } from 'node:fs'
import { Argument, Command, CommanderError, InvalidArgumentError } from 'commander'
import { toModelNetError } from '../utils/errors.ts'
import { addNetworkCommands } from './commands/network-commands.ts'
import { DEFAULT_PORT } from './defaults.ts'
import { createTerminal, paint, printable, type Terminal } from './terminal.ts'

// Each command loads its own code when it runs: `ask` needs no libp2p, and a person waits for it.

/** Runs the command line and sets the exit status: 0 done, 1 failed, 2 not understood. */
export async function main(args: readonly string[], terminal: Terminal = createTerminal()): Promise<void> {
  try {
    await createProgram(terminal).parseAsync(args, { from: 'user' })
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      process.exitCode = thrown.exitCode === 0 ? 0 : 2
      return
    }
    const error = toModelNetError(thrown)
    terminal.err(`${paint(terminal, 'red', `error ${error.code}`)}: ${printable(error.message)}\n`)
    process.exitCode = 1
  }
}

function createProgram(terminal: Terminal): Command {
  const program = new Command('modelnet')
    .description('A network of AI models: any model joins as a node, any node can be asked.')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({ writeOut: text => terminal.out(text), writeErr: text => terminal.err(text) })

  program
    .command('start')
    .description('start a network of the shipped models on this machine and ask it a few questions')
    .option('--port <port>', 'port of the gateway; 0 takes a free one', readPort, DEFAULT_PORT)
    .option('--data-dir <dir>', 'where the nodes keep their identities')
    .option('--no-mdns', 'nodes started by hand on this machine need an address to join')
    .option('--exit', 'stop after the questions')
    .option('--json', 'one JSON object a line')
    .action(async options => (await import('./commands/start.ts')).start(options, terminal))

  program
    .command('serve')
    .description('run one node')
    .option('--config <file>', 'modelnet.yaml')
    .option('--name <name>', 'a name for people')
    .option('--model <model>', 'shipped name, GGUF file, or http://host/v1#model; may be repeated', collect, [])
    .option('--bootstrap <address>', 'multiaddr of a node to join through; may be repeated', collect, [])
    .option('--listen <address>', 'multiaddr to listen on; may be repeated', collect, [])
    .option('--host <host>', 'host of the gateway')
    .option('--port <port>', 'port of the gateway; 0 takes a free one', readPort)
    .option('--data-dir <dir>', 'identity, peer book, weights from peers')
    .option('--no-mdns', 'do not look for nodes on the local network')
    .option('--log-level <level>', 'silent, error, warn, info or debug')
    .option('--set <field=value>', 'any field, such as network.relay=true; may be repeated', collect, [])
    .option('--until-stdin-ends', 'also stop when standard input ends')
    .option('--json', 'say the addresses as one line of JSON')
    // commander gives `mdns: true` when the flag is absent; only a given flag may override the configuration
    .action(async ({ mdns, ...options }) =>
      (await import('./commands/serve.ts')).serve({ ...options, ...(mdns === false && { mdns }) }, terminal),
    )

  client(program.command('ask').description('ask the network'))
    .argument('<question...>', 'the question; - at the end adds standard input')
    .option('--model <model>', 'a model, model@node or strategy', 'modelnet/auto')
    .option('--pathway <term>', 'a pathway such as "(a|b) ! vote"')
    .option('--temperature <number>', '0 is greedy', readNumber)
    .option('--max-tokens <number>', 'longest answer', readNumber)
    .option('--seed <number>', 'same seed, same answer', readNumber)
    .action(async (words: string[], options) => {
      const request = {
        ...(options.temperature !== undefined && { temperature: options.temperature }),
        ...(options.maxTokens !== undefined && { max_tokens: options.maxTokens }),
        ...(options.seed !== undefined && { seed: options.seed }),
      }
      const question = await (await import('./commands/question.ts')).readQuestion(words, process.stdin)
      const asked = { ...access(options), question, model: options.pathway ?? options.model, request }
      const { askAndShow } = await import('./ask-view.ts')
      const outcome = await askAndShow(asked, options.json ? undefined : terminal)
      if (options.json) terminal.out(`${JSON.stringify(outcome)}\n`)
    })

  client(program.command('models').description('every model of the network')).action(async options =>
    (await import('./commands/list.ts')).listModels({ ...access(options), json: options.json }, terminal),
  )
  client(program.command('peers').description('every node this node knows')).action(async options =>
    (await import('./commands/list.ts')).listPeers({ ...access(options), json: options.json }, terminal),
  )
  client(program.command('topology').description('a drawing of domains, nodes, distances and models')).action(
    async options =>
      (await import('./commands/topology.ts')).showTopology({ ...access(options), json: options.json }, terminal),
  )
  client(program.command('drain').description('make a node leave: no new work, running work finishes')).action(
    async options => (await import('./commands/drain.ts')).drain({ ...access(options), json: options.json }, terminal),
  )
  client(program.command('doctor').description('check this machine, its configuration and a running node'))
    .option('--config <file>', 'modelnet.yaml')
    .action(async options =>
      (await import('./commands/doctor.ts')).doctor({ ...access(options), ...options }, terminal),
    )
  client(program.command('strategies').description('every way of working together, with needs and cost')).action(
    async options =>
      (await import('./commands/strategies.ts')).listStrategies({ ...access(options), json: options.json }, terminal),
  )
  client(program.command('resources').description('processors, memory, GPUs, engines and models of one node')).action(
    async options =>
      (await import('./commands/deploy.ts')).listResources({ ...access(options), json: options.json }, terminal),
  )
  client(program.command('deploy').description('start a model on a node that allows it'))
    .argument('<model>', 'a model that the network knows, such as modelnet/geography')
    .option('--node <id>', 'the node that shall run it; the end of its id will do')
    .action(async (model: string, options) =>
      (await import('./commands/deploy.ts')).deploy({ ...options, ...access(options), model }, terminal),
    )
  addLearning(program, terminal)
  addBench(program, terminal)
  addNetworkCommands(program, terminal)
  program
    .command('schema')
    .description('print a JSON Schema: of modelnet.yaml, of a pathway in its JSON form, or of a trace')
    .addArgument(new Argument('[what]').choices(['config', 'pathway', 'trace']).default('config'))
    .action(async (what: 'config' | 'pathway' | 'trace') => {
      const { JSON_SCHEMAS } = await import('./schemas.ts')
      terminal.out(`${JSON.stringify(JSON_SCHEMAS[what](), null, 2)}\n`)
    })
  return program
}

function addLearning(program: Command, terminal: Terminal): void {
  program
    .command('learn')
    .description('train a router from the graded answers of a node')
    .option('--embed <model>', 'learn from the vectors of this model of a running network, instead of words')
    .option(
      '--url <url>',
      'gateway of a node that embeds',
      process.env['MODELNET_URL'] ?? `http://127.0.0.1:${DEFAULT_PORT}`,
    )
    .option('--data-dir <dir>', 'data directory of the node')
    .option('--log <file>', 'graded answers; outcomes.jsonl of the data directory unless given')
    .option('--output <file>', 'the router; router.json in the data directory unless given')
    .option('--min-answers <number>', 'a model needs so many graded answers', readNumber)
    .option('--json', 'JSON for another program')
    .action(async options => (await import('./commands/learn.ts')).learn({ ...options, ...access(options) }, terminal))
  client(program.command('feedback').description('say how good an answer was'))
    .argument('<id>', 'id of the answer, chatcmpl-…')
    .argument('<score>', 'up, down, or a number from 0 to 1')
    .action(async (id: string, score: string, options) =>
      (await import('./commands/evidence.ts')).feedback(
        { ...access(options), id, score, json: options.json },
        terminal,
      ),
    )
  const evidence = program.command('evidence').description('what a node knows of models, signed')
  client(evidence.command('export').description('a signed attestation of what a node has seen of models'))
    .option('--output <file>', 'where it goes; standard output unless given')
    .action(async options =>
      (await import('./commands/evidence.ts')).exportEvidence({ ...access(options), output: options.output }, terminal),
    )
  client(evidence.command('import').description('make a node take in the attestation of another'))
    .argument('<file>')
    .option('--trust <share>', 'how much its answers count beside own ones, 0 to 1', readNumber)
    .action(async (file: string, options) =>
      (await import('./commands/evidence.ts')).importEvidence({ ...options, ...access(options), file }, terminal),
    )
}

function addBench(program: Command, terminal: Terminal): void {
  const bench = program.command('bench').description('measure answers')
  client(bench.command('ask').description('send a file of questions through a running network and grade the answers'))
    .requiredOption('--questions <file>', 'JSONL with question and answer per row; grader optional')
    .option('--model <model>', 'one model instead of the choice of the network')
    .option('--pathway <term>', 'a pathway instead of the choice of the network')
    .option('--concurrency <number>', 'questions in flight', readNumber)
    .option('--seed <number>', 'seed of every request', readNumber)
    .option('--checkpoint <file>', 'keep finished rows here and continue from them')
    .option('--output <file>', 'results by row')
    .action(async options =>
      (await import('./commands/bench.ts')).benchAsk({ ...options, ...access(options) }, terminal),
    )
  bench
    .command('routing')
    .description('train the router on recorded answers, decide for recorded questions')
    .requiredOption('--set <dir>', 'folder with meta.json of the set')
    .requiredOption('--train <file>', 'rows to train on, .jsonl.gz')
    .requiredOption('--test <file>', 'rows to decide for, .jsonl.gz')
    .option(
      '--decisions <file>',
      'decisions by row, as the scorer of the set reads them; for mmlupro28 the answers of a vote, and one model per row in a second file, NAME.single.jsonl',
    )
    .option('--strip', 'take task markers and options off the questions')
    .option('--no-combine', 'one model per row, no votes (mmlupro28) and no cascades (routerbench3)')
    .option(
      '--max-parameters <billions>',
      'only models up to this size, or "all"; 13 for mmlupro28, all for other sets unless given',
      text => (text === 'all' ? Number.POSITIVE_INFINITY : readNumber(text)),
    )
    .option('--json', 'JSON for another program')
    .action(async options => (await import('./commands/bench.ts')).benchRouting(options, terminal))
  bench
    .command('paper')
    .description("the paper's experiments on the shipped models, or on those of a running network")
    .argument('[parts...]', 'some of the experiments')
    .option('--url <url>', 'gateway of a running network, which answers instead')
    .option('--member <model>', 'a model of that network that takes part; may be repeated', collect, [])
    .option('--question-set <name=file>', 'JSONL of your own questions; may be repeated', collect, [])
    .option('--output <dir>', 'folder of the report', 'modelnet-paper')
    .option('--questions <number>', 'questions per set', readNumber)
    .option('--seed <number>', 'same seed, same answers', readNumber)
    .option('--resume', 'continue an interrupted run')
    .option('--json', 'JSON for another program')
    .action(async (parts, options) => {
      const { benchPaper } = await import('./commands/bench.ts')
      await benchPaper({ parts, ...options, ...(options.url !== undefined && access(options)) }, terminal)
    })
}

/** The options of every command that talks to a running node. */
const client = (command: Command): Command =>
  command
    .option('--url <url>', 'gateway of a node', process.env['MODELNET_URL'] ?? `http://127.0.0.1:${DEFAULT_PORT}`)
    .option('--json', 'JSON for another program')

const access = (options: { readonly url: string }): { readonly url: string; readonly key?: string } => {
  const key = process.env['MODELNET_KEY']
  return { url: options.url, ...(key !== undefined && key !== '' && { key }) }
}

const collect = (value: string, previous: readonly string[]): readonly string[] => [...previous, value]

/** Text that is no number would travel as null and be ignored. */
function readNumber(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('expected a number')
  return value
}

function readPort(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new InvalidArgumentError('expected a number from 0 to 65535')
  return port
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  } // our own package
  return version
}
