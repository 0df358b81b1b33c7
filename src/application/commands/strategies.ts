import { z } from 'zod'
import { type ClientOptions, getJson } from '../client.ts'
import { paint, type Terminal } from '../terminal.ts'

const StrategiesSchema = z.object({
  data: z.array(
    z.object({
      name: z.string(),
      description: z.string(),
      needs: z.array(z.string()),
      example: z.string(),
      bound: z.object({ calls: z.number().nullable(), depth: z.number().nullable() }).optional(),
    }),
  ),
})

/** `modelnet strategies`: every named way to build a pathway: what it does, needs and costs at most. */
export async function listStrategies(
  options: ClientOptions & { readonly json?: boolean },
  terminal: Terminal,
): Promise<void> {
  const body = await getJson('/modelnet/strategies', options)
  if (options.json) return terminal.out(`${JSON.stringify(body, null, 2)}\n`)
  for (const { name, description, needs, example, bound } of StrategiesSchema.parse(body).data) {
    const cost = bound ? `at most ${bound.calls ?? 'unbounded'} calls, ${bound.depth ?? 'unbounded'} in a row` : ''
    terminal.out(`${paint(terminal, 'bold', name.padEnd(12))} ${description}\n`)
    const facts = [`needs ${needs.join(', ')}`, cost, example].filter(fact => fact !== '')
    terminal.out(paint(terminal, 'dim', `${' '.repeat(13)}${facts.join(' · ')}\n`))
  }
}
