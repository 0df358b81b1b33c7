// Measure a GGUF through llama.cpp: greedy answers to its held-out questions, exact final answer.
// `node evaluate.mjs arithmetic-a [--show]`; needs node-llama-cpp 3.22.1 (NODE_LLAMA_CPP names another folder).
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const name = process.argv[2]
const show = process.argv.includes('--show')
const here = dirname(fileURLToPath(import.meta.url))
const work = process.env.MODELNET_TRAINING ?? '/tmp/modelnet-training'
const library = process.env.NODE_LLAMA_CPP
const { getLlama, LlamaChatSession } = await import(
  library ? pathToFileURL(join(library, 'dist/index.js')).href : 'node-llama-cpp')

const folder = join(here, '..', 'models', name)
const rows = readFileSync(join(folder, 'heldout.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line))
const checks = JSON.parse(readFileSync(join(work, `${name}.checks.json`), 'utf8'))
const [bos, ask, answer, end] = checks.specials

const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error', maxThreads: 1 })
const model = await llama.loadModel({ modelPath: join(folder, `${name}.gguf`) })
const context = await model.createContext({ contextSize: 512, threads: 1, sequences: 2 })
const sequence = context.getSequence()

/** The model's whole greedy reply. */
async function reply(question) {
  await sequence.clearHistory()
  const out = []
  for await (const token of sequence.evaluate([bos, ask, ...model.tokenize(question), answer], { temperature: 0 })) {
    if (token === end || out.length > 400) break
    out.push(token)
  }
  return model.detokenize(out)
}

/** What follows the last closing parenthesis. */
const finalAnswer = (text) => text.slice(text.lastIndexOf(')') + 1).trim()

function isRight(row, text) {
  const given = finalAnswer(text)
  if (row.grader === 'number') return given !== '' && Number(given) === Number(row.answer)
  return given === row.answer
}

/** Wilson's 95 % interval. */
function interval(correct, n) {
  const z = 1.96, p = correct / n, base = 1 + z * z / n
  const middle = (p + z * z / (2 * n)) / base, half = z * Math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / base
  return [middle - half, middle + half].map((x) => Math.round(x * 1e4) / 1e4)
}

let tokenizerMismatches = 0
rows.forEach((row, index) => {
  const check = checks.rows[index]
  const ids = [bos, ask, ...model.tokenize(row.question), answer, ...model.tokenize(check.reply), end]
  if (JSON.stringify(ids) !== JSON.stringify(check.ids)) {
    if (tokenizerMismatches++ < 3) console.log('tokenised differently:', row.question, ids, check.ids)
  }
})

// The chat template must give the same reply as our own token sequence.
const session = new LlamaChatSession({ contextSequence: context.getSequence(), systemPrompt: '' })
let templateMismatches = 0
for (const row of rows.slice(0, 5)) {
  session.resetChatHistory()
  const said = await session.prompt(row.question, { temperature: 0, maxTokens: 400 })
  if (said !== await reply(row.question)) templateMismatches++
}

const tally = new Map()
const add = (key, right) => {
  const entry = tally.get(key) ?? { n: 0, correct: 0 }
  tally.set(key, { n: entry.n + 1, correct: entry.correct + Number(right) })
}
for (const row of rows) {
  const text = await reply(row.question)
  const right = isRight(row, text)
  add(`tag ${row.tag}`, right)
  add(`kind ${row.tag.slice(6)} ${row.kind}`, right)
  // of a review also the verdict alone, which guessing has right half of the time
  if (row.tag === 'skill:review')
    add('kind review verdict alone', finalAnswer(text).split(':')[0] === row.answer.split(':')[0])
  if (show && !right) console.log(`${row.question} | ${text} | ${row.answer}`)
}
const measured = [...tally].map(([key, { n, correct }]) => (
  { key, n, correct, accuracy: Math.round(correct / n * 1e4) / 1e4, interval: interval(correct, n) }))
for (const { key, n, correct, accuracy } of measured) console.log(key, `${correct}/${n}`, accuracy)
console.log(`tokenizer mismatches ${tokenizerMismatches}, template mismatches ${templateMismatches}`)
writeFileSync(join(work, `${name}.measured.json`), JSON.stringify(measured))
process.exit(tokenizerMismatches + templateMismatches > 0 ? 1 : 0)
