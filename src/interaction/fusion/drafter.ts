import type { Seat } from './seat.ts'

/** How much more text per time another member must promise before it drafts instead. */
const ADVANTAGE = 1.25
/** Chance of acceptance beyond which no longer drafts are expected: they have an end. */
const SUREST = 0.98

/**
 * Who should draft now: the one that is preferred (a local member, say), or else the heaviest, unless another would
 * bring clearly more text per time. What a draft brings is the text until the first byte that the members would not
 * choose together; what it costs is asking its author and then asking all. A prefetch only: the text does not depend on it.
 */
export function chooseDrafter(seats: readonly Seat[], preferred?: string): Seat | undefined {
  const heaviest = seats.toSorted((a, b) => b.weight * b.learned - a.weight * a.learned)[0]
  const first = seats.find(({ name }) => name === preferred) ?? heaviest
  if (!first) return undefined
  const askingMs = Math.max(...seats.map(({ tripMs }) => tripMs))
  const speed = ({ acceptance, tripMs }: Seat): number =>
    1 / (1 - Math.min(acceptance, SUREST)) / (tripMs + askingMs || 1)
  const best = seats.reduce((fastest, seat) => (speed(seat) > speed(fastest) ? seat : fastest), first)
  return speed(best) > ADVANTAGE * speed(first) ? best : first
}
