import type { Usage } from '../../protocol/index.ts'
import type { Budget } from '../../service/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { ModelNetError } from '../../utils/errors.ts'

/** What was spent so far, finished calls only (`calls` counts started ones). */
export interface Spent {
  readonly calls: number
  readonly tokens: number
  readonly cost: number
}

/** Prices per million tokens, as on a card. */
export interface Price {
  readonly input: number
  readonly output: number
}

/**
 * The budget of a request while it runs. Every call reserves before it starts and settles after it ended; a child
 * (a branch, `within`) has limits of its own and spends from its parent too.
 */
export class Ledger {
  readonly #budget: Budget
  readonly #clock: Clock
  readonly #parent: Ledger | undefined
  readonly #startedAt: number
  #calls = 0
  #tokens = 0
  #held = 0
  #cost = 0

  constructor(budget: Budget, clock: Clock, parent?: Ledger) {
    this.#budget = budget
    this.#clock = clock
    this.#parent = parent
    this.#startedAt = clock.monotonic()
  }

  get spent(): Spent {
    return { calls: this.#calls, tokens: this.#tokens, cost: this.#cost }
  }

  /** Milliseconds until the nearest deadline; Infinity when there is none. */
  remainingMs(): number {
    const own = (this.#budget.deadlineMs ?? Infinity) - (this.#clock.monotonic() - this.#startedAt)
    return Math.min(own, this.#parent?.remainingMs() ?? Infinity)
  }

  /** Calls that may still start. */
  remainingCalls(): number {
    return Math.min((this.#budget.calls ?? Infinity) - this.#calls, this.#parent?.remainingCalls() ?? Infinity)
  }

  /** Completion tokens that no call holds yet. */
  remainingTokens(): number {
    const own = (this.#budget.tokens ?? Infinity) - this.#tokens - this.#held
    return Math.min(own, this.#parent?.remainingTokens() ?? Infinity)
  }

  remainingCost(): number {
    return Math.min((this.#budget.cost ?? Infinity) - this.#cost, this.#parent?.remainingCost() ?? Infinity)
  }

  /**
   * Takes one call. Returns the completion tokens it may use (Infinity when nothing limits them); they are held until
   * `settle`. Throws BUDGET_EXCEEDED or DEADLINE_EXCEEDED when there is no room for a call.
   */
  reserve(promptTokens: number, wanted: number, price: Price = FREE): number {
    if (this.remainingMs() <= 0) throw new ModelNetError('DEADLINE_EXCEEDED', 'the deadline of the request passed')
    if (this.remainingCalls() < 1) throw exceeded('calls', this.#limit('calls'))
    const room = this.remainingTokens()
    if (room < 1) throw exceeded('tokens', this.#limit('tokens'))
    const money = this.remainingCost() - (promptTokens * price.input) / 1e6
    const affordable = price.output > 0 ? Math.floor((money / price.output) * 1e6) : money >= 0 ? Infinity : 0
    if (affordable < 1) throw exceeded('cost', this.#limit('cost'))
    const granted = Math.min(wanted, room, affordable)
    this.#hold(granted)
    return granted
  }

  /** Gives back what `reserve` granted and books what was used. */
  settle(granted: number, usage: Usage, cost: number): void {
    if (Number.isFinite(granted)) this.#held -= granted
    this.#tokens += usage.completionTokens
    this.#cost += cost
    this.#parent?.settle(granted, usage, cost)
  }

  /** A ledger for a part: limits of its own, spending from this one. */
  child(budget: Budget): Ledger {
    return new Ledger(budget, this.#clock, this)
  }

  /** One ledger per parallel branch, each with an equal share of the tokens that are left. */
  split(branches: number): readonly Ledger[] {
    const tokens = this.remainingTokens()
    const share: Budget = Number.isFinite(tokens) ? { tokens: Math.floor(tokens / branches) } : {}
    return Array.from({ length: branches }, () => this.child(share))
  }

  #hold(granted: number): void {
    this.#calls += 1
    if (Number.isFinite(granted)) this.#held += granted
    if (this.#parent) this.#parent.#hold(granted)
  }

  #limit(what: 'calls' | 'tokens' | 'cost'): number | undefined {
    return this.#budget[what] ?? (this.#parent ? this.#parent.#limit(what) : undefined)
  }
}

/** Cost of a usage at a price, in the currency of the price. */
export const costOf = (usage: Usage, price: Price = FREE): number =>
  (usage.promptTokens * price.input + usage.completionTokens * price.output) / 1e6

const FREE: Price = { input: 0, output: 0 }

const exceeded = (what: string, limit: number | undefined): ModelNetError =>
  new ModelNetError('BUDGET_EXCEEDED', `the budget of ${limit} ${what} does not allow another call`, {
    details: { what, limit },
  })
