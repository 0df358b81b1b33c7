import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { JSON_SCHEMAS } from './schemas.ts'

const FILES = {
  config: 'config.schema.json',
  pathway: 'schemas/pathway.schema.json',
  trace: 'schemas/trace.schema.json',
} as const

describe('the JSON Schemas', () => {
  it.each(Object.entries(FILES))('of %s is published as %s', (name, file) => {
    const published: unknown = JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'))
    expect(published).toEqual(JSON_SCHEMAS[name as keyof typeof FILES]())
  })
})
