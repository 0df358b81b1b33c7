import { createDecodeSession } from './decode-session.ts'
import type { LanguageModel } from './language-model.ts'

/** The model with every error passed through `translate`, wherever it comes up. */
export function withLossAsFailure(model: LanguageModel, translate: (error: unknown) => unknown): LanguageModel {
  const { open, score, embed } = model
  const translated = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      throw translate(error)
    }
  }
  return {
    card: model.card,
    async *generate(request, options) {
      try {
        yield* model.generate(request, options)
      } catch (error) {
        throw translate(error)
      }
    },
    ...(open
      ? {
          async open(request, options) {
            const session = await translated(open.call(model, request, options))
            return createDecodeSession({
              distribution: session.distribution,
              step: (step, stepOptions) => translated(session.step(step, stepOptions)),
              close: () => session.close(),
            })
          },
        }
      : {}),
    ...(score ? { score: (request, options) => translated(score.call(model, request, options)) } : {}),
    ...(embed ? { embed: (request, options) => translated(embed.call(model, request, options)) } : {}),
  }
}
