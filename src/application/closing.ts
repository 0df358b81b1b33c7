import type { Logger } from '../utils/logger.ts'

/** Things to close, last opened first; one that fails does not keep the others open. */
export interface Closing {
  add(what: string, close: () => unknown): void
  /** May be called twice. */
  run(): Promise<void>
}

export function createClosing(logger: Logger): Closing {
  const steps: { readonly what: string; readonly close: () => unknown }[] = []
  let running: Promise<void> | undefined
  const run = async (): Promise<void> => {
    for (let step = steps.pop(); step; step = steps.pop())
      try {
        await step.close()
      } catch (error) {
        logger.warn({ reason: String(error) }, `could not close ${step.what}`)
      }
  }
  return {
    add: (what, close) => void steps.push({ what, close }),
    run: () => {
      running ??= run()
      return running
    },
  }
}
