/** What one member did for a joint text. */
export interface MemberMetrics {
  readonly name: string
  /** Given when the session was made; 0..1 of the whole. */
  readonly weight: number
  /** After what was learned along the text. */
  readonly learnedWeight: number
  /** Messages sent to it that it answered, and that came too late for their step. */
  readonly roundTrips: number
  readonly late: number
  /** Positions of the text where it voted, and where its own choice was what was committed. */
  readonly votes: number
  readonly agreed: number
  /** Time until its answers, all steps together. */
  readonly waitedMs: number
  readonly state: 'live' | 'lost'
}

/** What a joint text cost and who shaped it; part of the trace. */
export interface FusionMetrics {
  /** Times the members were asked together, and times only the lead was (drafts): the round trips a reader waits for. */
  readonly steps: number
  readonly drafts: number
  /** Bytes committed, and positions whose distribution was combined. */
  readonly bytes: number
  readonly positions: number
  /** Candidates aligned across members, all positions together; 0 for bytes, whose alphabet needs no alignment. */
  readonly candidates: number
  readonly lost: number
  readonly replaced: number
  /** Waiting for members, and combining what they said. */
  readonly waitingMs: number
  readonly combiningMs: number
  readonly members: readonly MemberMetrics[]
}
