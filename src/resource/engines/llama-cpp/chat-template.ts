import { Template } from '@huggingface/jinja'
import type { ChatMessage } from '../../../protocol/index.ts'
import { ModelNetError } from '../../../utils/errors.ts'
import { CUT, cutControls } from '../../control-cut.ts'

/** Turns messages into the prompt of one model, as the template in its metadata says. */
export interface ChatTemplate {
  /** False when the template leaves system messages out; they are then dropped, never merged into a user's text. */
  readonly supportsSystem: boolean
  /** True when answers of this model begin with hidden reasoning in `<think>` … `</think>`. */
  readonly thinks: boolean
  /**
   * The prompt in pieces that are tokenised one by one: a cut lies inside every control token that the content of a
   * message spells, so that a user's text never becomes a control token. Usually one piece.
   */
  render(messages: readonly ChatMessage[]): readonly string[]
}

export interface ChatTemplateOptions {
  /** Jinja source; ChatML when the file has none, as llama.cpp does. */
  readonly source?: string
  readonly bosToken: string
  readonly eosToken: string
  /** Texts of the control tokens. */
  readonly controls: Iterable<string>
}

const CHATML =
  "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{'<|im_start|>assistant\\n'}}{% endif %}"

/** Throws INVALID_MODEL_FILE when the template cannot be parsed. */
export function createChatTemplate(options: ChatTemplateOptions): ChatTemplate {
  const { source = CHATML, bosToken, eosToken } = options
  const controls = [...options.controls].filter(text => text.length > 1)
  const template = parse(source)
  const renderAll = (messages: readonly ChatMessage[]): string =>
    template.render({
      messages: messages.map(message => ({ ...message })),
      add_generation_prompt: true,
      bos_token: bosToken,
      eos_token: eosToken,
    })
  const supportsSystem = showsSystem(renderAll)

  return {
    supportsSystem,
    thinks: source.includes('<think>'),
    render(messages) {
      const last = messages.at(-1)
      // The model continues a last assistant message: it follows the generation prompt, without an end of turn.
      const prefix = last?.role === 'assistant' ? last.content : ''
      const turns = (last?.role === 'assistant' ? messages.slice(0, -1) : messages)
        .filter(message => supportsSystem || message.role !== 'system')
        .map(message => ({ ...message, content: cutControls(message.content, controls) }))
      if (turns.length === 0) throw new ModelNetError('INVALID_REQUEST', 'expected at least one message of role user')
      try {
        return (renderAll(turns) + cutControls(prefix, controls)).split(CUT).filter(piece => piece.length > 0)
      } catch (cause) {
        // Templates refuse orders of roles they do not know with raise_exception.
        const why = cause instanceof Error ? cause.message : String(cause)
        throw new ModelNetError('INVALID_REQUEST', `the chat template of the model refuses these messages: ${why}`, {
          cause,
        })
      }
    },
  }
}

function parse(source: string): Template {
  try {
    return new Template(source)
  } catch (cause) {
    throw new ModelNetError('INVALID_MODEL_FILE', 'the chat template in the metadata of the model cannot be parsed', {
      cause,
    })
  }
}

function showsSystem(render: (messages: readonly ChatMessage[]) => string): boolean {
  const probe = 'modelnet-system-probe'
  try {
    return render([
      { role: 'system', content: probe },
      { role: 'user', content: 'x' },
    ]).includes(probe)
  } catch {
    return false // a template that refuses the role does not have it
  }
}
