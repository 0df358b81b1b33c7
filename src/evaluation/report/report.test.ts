import { describe, expect, it } from 'vitest'
import type { ReportDocument } from './document.ts'
import { renderText } from './document.ts'
import { formatTable, milliseconds, percentWithInterval, probability } from './format.ts'
import { renderHtml } from './html.ts'

const hostile = '<script>alert("x")</script>'
const report: ReportDocument = {
  title: `Report ${hostile}`,
  facts: { seed: '1', [hostile]: hostile },
  sections: [
    {
      title: 'Stability',
      blocks: [
        { kind: 'text', text: `First.\n\n${hostile}` },
        { kind: 'table', caption: hostile, table: { head: ['system', 'accuracy'], rows: [[hostile, '97.3']] } },
        {
          kind: 'lines',
          chart: {
            title: hostile,
            xLabel: 'online rate',
            yLabel: 'accuracy %',
            x: [0.5, 1],
            series: [
              {
                name: 'network',
                emphasis: true,
                points: [
                  { y: 0.9, low: 0.8, high: 0.95 },
                  { y: 0.92, low: 0.85, high: 0.96 },
                ],
              },
              { name: hostile, dashed: true, points: [{ y: 0.91 }, { y: 0.92 }] },
            ],
          },
        },
        {
          kind: 'bars',
          chart: { title: 'all', xLabel: 'accuracy %', bars: [{ name: hostile, y: 0.5, low: 0.4, high: 0.6 }] },
        },
      ],
    },
  ],
}

describe('the HTML report', () => {
  const html = renderHtml(report)

  it('is one page without scripts or anything from elsewhere', () => {
    expect(html).not.toMatch(/<script|<link|<img|https?:\/\/|@import|url\(/)
    expect(html).toContain("default-src 'none'")
  })

  it('shows what systems and data say as text, never as markup', () => {
    expect(html).not.toContain(hostile)
    expect(html.split('&lt;script&gt;').length).toBeGreaterThan(8)
  })

  it('draws lines with bands and bars with whiskers', () => {
    expect(html.match(/<svg /g)).toHaveLength(2)
    expect(html).toContain('network, online rate 0.5: 90.0 [80.0, 95.0] %')
    expect(html).toContain('stroke-dasharray')
    expect(html).toContain('class="whisker"')
    expect(html).not.toContain('NaN')
  })
})

it('keeps labels of lines that end together apart', () => {
  const chart = {
    title: 't',
    xLabel: 'x',
    yLabel: 'y',
    x: [1, 2],
    series: ['a', 'b', 'c'].map(name => ({ name, points: [{ y: 1 }, { y: 1 }] })),
  }
  const html = renderHtml({ title: 't', facts: {}, sections: [{ title: 's', blocks: [{ kind: 'lines', chart }] }] })
  const heights = [...html.matchAll(/<text x="592" y="([\d.]+)"/g)].map(match => Number(match[1]))
  expect(heights).toHaveLength(3)
  expect(Math.min(...heights.slice(1).map((value, index) => value - (heights[index] ?? 0)))).toBeGreaterThanOrEqual(15)
})

it('prints the tables for the terminal', () => {
  const text = renderText(report)
  expect(text).toContain('## Stability')
  expect(text).toContain('97.3')
})

it('lines columns up and formats figures', () => {
  expect(
    formatTable({
      head: ['name', 'n'],
      rows: [
        ['a', '100'],
        ['longer', '7'],
      ],
    }),
  ).toBe('name      n\n──────  ───\na       100\nlonger    7')
  expect(percentWithInterval({ estimate: 0.5, low: 0.4, high: 0.6 })).toBe('50.0 [40.0, 60.0]')
  expect([milliseconds(3.21), milliseconds(840.4), milliseconds(3210), milliseconds(Number.NaN)]).toEqual([
    '3.2 ms',
    '840 ms',
    '3.2 s',
    '–',
  ])
  expect([probability(0.0001), probability(0.0312)]).toEqual(['< 0.001', '0.031'])
})
