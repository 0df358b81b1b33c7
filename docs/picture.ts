/**
 * Draws `docs/start.svg`, the picture of the README, from what `modelnet start --exit` really prints:
 * `npx tsx docs/picture.ts`
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const COLORS: Readonly<Record<string, string>> = { '31': '#ff7b72', '32': '#7ee787', '33': '#e3b341', '36': '#79c0ff' }
const LINE_HEIGHT = 20
const CHARACTER_WIDTH = 8.43
const MARGIN = 18

interface Span {
  readonly text: string
  readonly codes: ReadonlySet<string>
}

/** A line cut at its escape sequences, each piece with the codes that hold for it. */
function spansOf(line: string): readonly Span[] {
  const spans: Span[] = []
  let codes = new Set<string>()
  for (const piece of line.split(/(?=\u001b\[\d+m)/)) {
    const escape = /^\u001b\[(\d+)m/.exec(piece)
    const code = escape?.[1]
    if (code !== undefined) codes = ['0', '22', '24', '39'].includes(code) ? new Set() : new Set([...codes, code])
    const text = escape ? piece.slice(escape[0].length) : piece
    if (text !== '') spans.push({ text, codes })
  }
  return spans
}

const escapeXml = (text: string): string => text.replace(/[&<>]/g, found => `&#${found.charCodeAt(0)};`)

function toSvg(lines: readonly string[]): string {
  const plain = lines.map(line => spansOf(line).map(span => span.text).join(''))
  const width = Math.ceil(Math.max(...plain.map(line => line.length)) * CHARACTER_WIDTH + 2 * MARGIN)
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN
  const rows = lines.map((line, row) => {
    const spans = spansOf(line).map(({ text, codes }) => {
      const color = [...codes].map(code => COLORS[code]).find(found => found !== undefined)
      const style = [
        `fill="${color ?? (codes.has('2') ? '#8b949e' : '#e6edf3')}"`,
        codes.has('1') ? 'font-weight="bold"' : '',
        codes.has('4') ? 'text-decoration="underline"' : '',
      ]
      return `<tspan ${style.filter(part => part !== '').join(' ')}>${escapeXml(text)}</tspan>`
    })
    return `<text x="${MARGIN}" y="${MARGIN + (row + 0.75) * LINE_HEIGHT}" xml:space="preserve">${spans.join('')}</text>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    '<title>What modelnet start prints</title>',
    `<rect width="${width}" height="${height}" rx="10" fill="#0d1117"/>`,
    '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14">',
    ...rows,
    '</g>',
    '</svg>',
    '',
  ].join('\n')
}

const program = fileURLToPath(new URL('../bin/modelnet.js', import.meta.url))
const dataDir = mkdtempSync(join(tmpdir(), 'modelnet-picture-'))
const run = spawnSync(
  'sh',
  ['-c', `"${process.execPath}" "${program}" start --exit --no-mdns --port 0 --data-dir "${dataDir}" 2>&1`],
  { encoding: 'utf8', env: { ...process.env, FORCE_COLOR: '1' } },
)
if (run.status !== 0) throw new Error(run.stdout)
const text = run.stdout.replace(/\n+$/, '').replace(/^\n+/, '')
writeFileSync(new URL('./start.svg', import.meta.url), toSvg(['\u001b[2m$\u001b[22m npm start', '', ...text.split('\n')]))
