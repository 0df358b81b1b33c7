/** A share with its interval, 0..1. */
interface Point {
  readonly y: number
  readonly low?: number
  readonly high?: number
}

/** Shares over a numeric axis, one line per series. */
export interface LineChart {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly x: readonly number[]
  /** Equal steps between the values of x instead of their distances. @default false */
  readonly ordinal?: boolean
  readonly series: readonly {
    readonly name: string
    readonly points: readonly Point[]
    /** Drawn strong, behind nothing. */
    readonly emphasis?: boolean
    /** Expected or published values rather than measured ones. */
    readonly dashed?: boolean
  }[]
}

/** One horizontal bar per row, with error bars. */
export interface BarChart {
  readonly title: string
  readonly xLabel: string
  readonly bars: readonly (Point & { readonly name: string; readonly emphasis?: boolean })[]
}

const WIDTH = 760
/** Distinguishable with colour blindness (Okabe & Ito 2008), on light and dark grounds. */
const COLOURS = [
  '#0072B2',
  '#D55E00',
  '#009E73',
  '#CC79A7',
  '#B8860B',
  '#56B4E9',
  '#7A5CC4',
  '#8C8C8C',
  '#B03A2E',
  '#3D6B35',
]
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1]

/** A line chart as an SVG element: shares on a fixed 0..100 % axis, bands for intervals, names at the ends of lines. */
export function lineChart(chart: LineChart): string {
  const height = 380
  const area = { left: 56, right: WIDTH - 190, top: 20, bottom: height - 48 }
  const [first = 0, last = 1] = [Math.min(...chart.x), Math.max(...chart.x)]
  const position = (index: number): number =>
    chart.ordinal ? index / Math.max(1, chart.x.length - 1) : ((chart.x[index] ?? 0) - first) / (last - first || 1)
  const x = (index: number): number => area.left + position(index) * (area.right - area.left)
  const y = (share: number): number => area.bottom - share * (area.bottom - area.top)
  const labels = spread(
    chart.series.map(series => y(series.points.at(-1)?.y ?? 0)),
    15,
    area.top,
    area.bottom,
  )
  const lines = chart.series.map((series, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? '#888'
    const path = series.points.map((point, at) => `${at === 0 ? 'M' : 'L'}${n(x(at))} ${n(y(point.y))}`).join('')
    const dots = series.points.map((point, at) => {
      const interval =
        point.low === undefined || point.high === undefined ? '' : ` [${pc(point.low)}, ${pc(point.high)}]`
      const name = `${series.name}, ${chart.xLabel} ${chart.x[at]}: ${pc(point.y)}${interval} %`
      return `<circle cx="${n(x(at))}" cy="${n(y(point.y))}" r="${series.emphasis ? 4 : 3}" fill="${colour}"><title>${escapeHtml(name)}</title></circle>`
    })
    const style = `stroke="${colour}" stroke-width="${series.emphasis ? 3 : 1.5}"${series.dashed ? ' stroke-dasharray="5 4"' : ''} fill="none"`
    const end = series.points.length - 1
    const labelY = labels[index] ?? 0
    const leader = `<path d="M${n(x(end) + 6)} ${n(y(series.points[end]?.y ?? 0))}L${n(area.right + 18)} ${n(labelY)}" stroke="${colour}" stroke-width=".7" fill="none"/>`
    const label = `<text x="${area.right + 22}" y="${n(labelY + 4)}" fill="${colour}"${series.emphasis ? ' font-weight="700"' : ''}>${escapeHtml(clip(series.name, 24))}</text>`
    return `${band(series.points, x, y, colour)}<path d="${path}" ${style}/>${dots.join('')}${leader}${label}`
  })
  const xTicks = chart.x.map(
    (value, index) => `<text x="${n(x(index))}" y="${area.bottom + 18}" text-anchor="middle">${value}</text>`,
  )
  const yTicks = TICKS.map(
    share =>
      `<path class="grid" d="M${area.left} ${n(y(share))}H${area.right}"/><text x="${area.left - 8}" y="${n(y(share) + 4)}" text-anchor="end">${share * 100}</text>`,
  )
  const axes = `<text x="${(area.left + area.right) / 2}" y="${height - 8}" text-anchor="middle">${escapeHtml(chart.xLabel)}</text><text transform="rotate(-90)" x="${-(area.top + area.bottom) / 2}" y="14" text-anchor="middle">${escapeHtml(chart.yLabel)}</text>`
  return svg(chart.title, height, [...yTicks, ...xTicks, axes, ...lines])
}

/** A horizontal bar chart as an SVG element, shares on a fixed 0..100 % axis, intervals as whiskers. */
export function barChart(chart: BarChart): string {
  const step = 26
  const area = { left: 250, right: WIDTH - 70, top: 8 }
  const bottom = area.top + chart.bars.length * step
  const x = (share: number): number => area.left + share * (area.right - area.left)
  const ticks = TICKS.map(
    share =>
      `<path class="grid" d="M${n(x(share))} ${area.top}V${bottom}"/><text x="${n(x(share))}" y="${bottom + 16}" text-anchor="middle">${share * 100}</text>`,
  )
  const bars = chart.bars.map((bar, index) => {
    const top = area.top + index * step
    const middle = top + step / 2
    const colour = bar.emphasis ? COLOURS[1] : COLOURS[0]
    const whisker =
      bar.low === undefined || bar.high === undefined
        ? ''
        : `<path class="whisker" d="M${n(x(bar.low))} ${middle}H${n(x(bar.high))}M${n(x(bar.low))} ${middle - 4}v8M${n(x(bar.high))} ${middle - 4}v8"/>`
    const name = `<text x="${area.left - 8}" y="${middle + 4}" text-anchor="end"${bar.emphasis ? ' font-weight="700"' : ''}>${escapeHtml(clip(bar.name, 36))}<title>${escapeHtml(bar.name)}</title></text>`
    const value = `<text x="${n(Math.max(x(bar.y), x(bar.high ?? bar.y)) + 6)}" y="${middle + 4}">${pc(bar.y)}</text>`
    return `${name}<rect x="${area.left}" y="${top + 4}" width="${n(Math.max(0, x(bar.y) - area.left))}" height="${step - 8}" rx="2" fill="${colour}" opacity=".75"/>${whisker}${value}`
  })
  const axis = `<text x="${(area.left + area.right) / 2}" y="${bottom + 36}" text-anchor="middle">${escapeHtml(chart.xLabel)}</text>`
  return svg(chart.title, bottom + 44, [...ticks, ...bars, axis])
}

export const escapeHtml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')

const svg = (title: string, height: number, parts: readonly string[]): string =>
  `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(title)}">${parts.join('')}</svg>`

const n = (value: number): string => String(Math.round(value * 10) / 10)
const pc = (share: number): string => (share * 100).toFixed(1)
const clip = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}…` : text)

function band(
  points: readonly Point[],
  x: (index: number) => number,
  y: (share: number) => number,
  colour: string,
): string {
  if (points.some(point => point.low === undefined || point.high === undefined)) return ''
  const upper = points.map((point, index) => `${n(x(index))} ${n(y(point.high ?? point.y))}`)
  const lower = points.map((point, index) => `${n(x(index))} ${n(y(point.low ?? point.y))}`).reverse()
  return `<path d="M${[...upper, ...lower].join('L')}Z" fill="${colour}" opacity=".1"/>`
}

/** Moves labels apart that would overlap, keeping their order. */
function spread(wanted: readonly number[], gap: number, top: number, bottom: number): readonly number[] {
  const order = wanted.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value)
  const placed: number[] = []
  for (const { value } of order) placed.push(Math.max(value, (placed.at(-1) ?? top - gap) + gap))
  for (let index = placed.length - 1, limit = bottom; index >= 0; index--, limit -= gap) {
    if ((placed[index] ?? 0) <= limit) break
    placed[index] = limit
  }
  const result: number[] = []
  for (const [rank, { index }] of order.entries()) result[index] = placed[rank] ?? 0
  return result
}
