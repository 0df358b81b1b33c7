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

/** What a call holds from before its start until it settles. */
export interface Grant {
  /** Completion tokens it may use; Infinity when nothing limits them. */
  readonly tokens: number
  /** Most it can cost, where money is limited. */
  readonly cost: number
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
  #cost = 0
  #held: Grant = { tokens: 0, cost: 0 }

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
    const own = (this.#budget.tokens ?? Infinity) - this.#tokens - this.#held.tokens
    return Math.min(own, this.#parent?.remainingTokens() ?? Infinity)
  }

  /** Money that no call holds yet. */
  remainingCost(): number {
    const own = (this.#budget.cost ?? Infinity) - this.#cost - this.#held.cost
    return Math.min(own, this.#parent?.remainingCost() ?? Infinity)
  }

  /**
   * Takes one call: what it may use at most is held until `settle`, so that calls at the same time cannot spend the same
   * money. Throws BUDGET_EXCEEDED or DEADLINE_EXCEEDED when there is no room for a call.
   */
  reserve(promptTokens: number, wanted: number, price: Price = FREE): Grant {
    if (this.remainingMs() <= 0) throw new ModelNetError('DEADLINE_EXCEEDED', 'the deadline of the request passed')
    if (this.remainingCalls() < 1) throw exceeded('calls', this.#limit('calls'))
    const room = this.remainingTokens()
    if (room < 1) throw exceeded('tokens', this.#limit('tokens'))
    const money = this.remainingCost()
    const prompt = (promptTokens * price.input) / 1e6
    const affordable =
      price.output > 0 ? Math.floor(((money - prompt) / price.output) * 1e6) : money >= prompt ? Infinity : 0
    if (affordable < 1) throw exceeded('cost', this.#limit('cost'))
    const tokens = Math.min(wanted, room, affordable)
    const text = price.output > 0 ? (tokens * price.output) / 1e6 : 0
    const grant = { tokens, cost: Number.isFinite(money) ? prompt + text : 0 }
    this.#hold(grant)
    return grant
  }

  /** Gives back what `reserve` granted and books what was used. */
  settle(grant: Grant, usage: Usage, cost: number): void {
    this.#held = added(this.#held, grant, -1)
    this.#tokens += usage.completionTokens
    this.#cost += cost
    this.#parent?.settle(grant, usage, cost)
  }

  /** A ledger for a part: limits of its own, spending from this one. */
  child(budget: Budget): Ledger {
    return new Ledger(budget, this.#clock, this)
  }

  /** A ledger for one of so many parts that have yet to start, with an equal share of what is left. */
  share(parts: number): Ledger {
    const tokens = this.remainingTokens()
    const cost = this.remainingCost()
    return this.child({
      ...(Number.isFinite(tokens) ? { tokens: Math.floor(tokens / parts) } : {}),
      ...(Number.isFinite(cost) ? { cost: cost / parts } : {}),
    })
  }

  /** One ledger per parallel branch, with equal shares. */
  split(branches: number): readonly Ledger[] {
    return Array.from({ length: branches }, () => this.share(branches))
  }

  #hold(grant: Grant): void {
    this.#calls += 1
    this.#held = added(this.#held, grant, 1)
    if (this.#parent) this.#parent.#hold(grant)
  }

  #limit(what: 'calls' | 'tokens' | 'cost'): number | undefined {
    return this.#budget[what] ?? (this.#parent ? this.#parent.#limit(what) : undefined)
  }
}

/** What is held with a grant more, or less; what nothing limits is not counted. */
const added = (held: Grant, { tokens, cost }: Grant, sign: 1 | -1): Grant => ({
  tokens: Number.isFinite(tokens) ? held.tokens + sign * tokens : held.tokens,
  cost: held.cost + sign * cost,
})

/** Cost of a usage at a price, in the currency of the price. */
export const costOf = (usage: Usage, price: Price = FREE): number =>
  (usage.promptTokens * price.input + usage.completionTokens * price.output) / 1e6

const FREE: Price = { input: 0, output: 0 }

const exceeded = (what: string, limit: number | undefined): ModelNetError =>
  new ModelNetError('BUDGET_EXCEEDED', `the budget of ${limit} ${what} does not allow another call`, {
    details: { what, limit },
  })
