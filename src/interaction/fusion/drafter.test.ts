import { describe, expect, it } from 'vitest'
import { createScriptedSession } from '../../testing/index.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { chooseDrafter } from './drafter.ts'
import { Seat } from './seat.ts'

const clock = createManualClock()

function seat(name: string, weight: number, votes: readonly boolean[] = [], tripMs = 0): Seat {
  const session = createScriptedSession({
    distribution: { kind: 'bytes' },
    next: () => ({ kind: 'bytes', probabilities: new Float64Array(257) }),
  })
  const made = new Seat({ name, weight, session }, clock)
  made.learned = 1
  for (const agreed of votes) made.count(agreed)
  made.roundTrips = 1
  made.waitedMs = tripMs
  return made
}
const of = (count: number, agreed: boolean): readonly boolean[] => Array.from({ length: count }, () => agreed)

describe('who drafts', () => {
  it('is the preferred member at first, or else the heaviest', () => {
    const seats = [seat('light', 1), seat('heavy', 3)]
    expect(chooseDrafter(seats)?.name).toBe('heavy')
    expect(chooseDrafter(seats, 'light')?.name).toBe('light')
    expect(chooseDrafter(seats, 'unknown')?.name).toBe('heavy')
    expect(chooseDrafter([])).toBeUndefined()
  })

  it('is another where the text is what that one would write, and not what the preferred one would', () => {
    const seats = [seat('wrong', 1, of(10, false), 1), seat('right', 1, of(10, true), 50)]
    expect(chooseDrafter(seats, 'wrong')?.name).toBe('right')
  })

  it('stays the preferred one where the other is far and hardly better', () => {
    const seats = [seat('near', 1, [...of(3, false), ...of(20, true)], 1), seat('far', 1, of(23, true), 200)]
    expect(chooseDrafter(seats, 'near')?.name).toBe('near')
  })
})
