import { barChart, escapeHtml, lineChart } from './charts.ts'
import type { Block, ReportDocument } from './document.ts'
import type { TextTable } from './format.ts'

/** The whole report as one HTML page: no script, no style sheet or font from elsewhere, readable in the dark. */
export function renderHtml(report: ReportDocument): string {
  const facts = Object.entries(report.facts).map(
    ([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`,
  )
  const contents = report.sections.map(({ title }, index) => `<li><a href="#s${index}">${escapeHtml(title)}</a></li>`)
  const sections = report.sections.map(
    ({ title, blocks }, index) =>
      `<section id="s${index}"><h2>${escapeHtml(title)}</h2>${blocks.map(renderBlock).join('')}</section>`,
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(report.title)}</title><style>${STYLE}</style></head><body>
<h1>${escapeHtml(report.title)}</h1>${renderHighlights(report.highlights ?? [])}<dl>${facts.join('')}</dl><nav><ol>${contents.join('')}</ol></nav>
${sections.join('\n')}
</body></html>
`
}

/** What a reader should take away, as tiles above everything else. */
function renderHighlights(highlights: NonNullable<ReportDocument['highlights']>): string {
  const tiles = highlights.map(
    ({ figure, text }) => `<li><strong>${escapeHtml(figure)}</strong><span>${escapeHtml(text)}</span></li>`,
  )
  return tiles.length === 0 ? '' : `<ul class="tiles">${tiles.join('')}</ul>`
}

function renderBlock(block: Block): string {
  switch (block.kind) {
    case 'text':
      return block.text
        .split('\n\n')
        .map(text => `<p>${escapeHtml(text)}</p>`)
        .join('')
    case 'table':
      return renderTable(block.caption, block.table)
    case 'lines':
      return `<figure><figcaption>${escapeHtml(block.chart.title)}</figcaption>${lineChart(block.chart)}</figure>`
    case 'bars':
      return `<figure><figcaption>${escapeHtml(block.chart.title)}</figcaption>${barChart(block.chart)}</figure>`
  }
}

function renderTable(caption: string, { head, rows }: TextTable): string {
  const cells = (line: readonly string[], tag: 'th' | 'td'): string =>
    `<tr>${line.map((text, index) => (index === 0 ? `<th scope="${tag === 'th' ? 'col' : 'row'}">` : `<${tag}>`) + escapeHtml(text) + (index === 0 ? '</th>' : `</${tag}>`)).join('')}</tr>`
  const line = (row: readonly string[]): string =>
    row[0] === 'network' ? cells(row, 'td').replace('<tr>', '<tr class="own">') : cells(row, 'td')
  return `<div class="wide"><table><caption>${escapeHtml(caption)}</caption><thead>${cells(head, 'th')}</thead><tbody>${rows.map(line).join('')}</tbody></table></div>`
}

const STYLE = `
:root{color-scheme:light dark;--text:#1c2430;--soft:#5b6675;--line:#d9dee5;--ground:#fff;--tint:#f3f6f9;--own:#fdf1e7}
@media(prefers-color-scheme:dark){:root{--text:#e6eaf0;--soft:#9aa6b5;--line:#38424f;--ground:#14181e;--tint:#1c222a;--own:#33251a}}
body{font:15px/1.55 system-ui,sans-serif;color:var(--text);background:var(--ground);max-width:72rem;margin:2rem auto;padding:0 1.2rem}
h1{font-size:1.6rem;margin:0 0 .6rem}h2{font-size:1.2rem;margin:2.4rem 0 .6rem;border-top:1px solid var(--line);padding-top:1.2rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;color:var(--soft);margin:0}dd{margin:0}
nav ol{padding-left:1.2rem}a{color:inherit}p{max-width:46rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:.8rem;list-style:none;padding:0;margin:1rem 0 1.4rem}
.tiles li{background:var(--tint);border-radius:8px;padding:.8rem 1rem}.tiles strong{display:block;font-size:1.5rem;line-height:1.2;color:#0072B2}
@media(prefers-color-scheme:dark){.tiles strong{color:#6db8ec}}.tiles span{color:var(--soft);font-size:.88rem}
.own{background:var(--own)}.own td,.own th:first-child{font-weight:600}tbody tr:hover{background:var(--tint)}
.wide{overflow-x:auto;margin:1rem 0}table{border-collapse:collapse;font-size:.86rem;font-variant-numeric:tabular-nums}
caption,figcaption{text-align:left;color:var(--soft);padding:.3rem 0;font-size:.9rem}
th,td{padding:.24rem .6rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child{text-align:left;font-weight:500}thead th{font-weight:600;color:var(--soft)}
figure{margin:1.2rem 0}svg{width:100%;max-width:56rem;height:auto;font:12px system-ui,sans-serif}
svg text:not([fill]){fill:var(--text)}.grid{stroke:var(--line);stroke-width:1}.whisker{stroke:var(--text);stroke-width:1.2;fill:none}
@media print{section{break-inside:avoid}}`
