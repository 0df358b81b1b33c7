import { BARE_TAG } from '../../protocol/index.ts'
import type { Analysis, Candidate } from '../../service/index.ts'

/** A model with this tag takes the bare question with an answer and says `correct`, or `wrong:` and its own answer. */
export const REVIEW_TAG = 'skill:review'

export const isTrainedReviewer = ({ model }: Candidate): boolean => model.card.tags.includes(REVIEW_TAG)
export const isBare = ({ model }: Candidate): boolean => model.card.tags.includes(BARE_TAG)

/** Fields a reviewer was trained in, as `review:arithmetic`; without any it is taken to judge everything. */
const FIELD = 'review:'

/** Tags of a task that are less probable say little of its field. */
const MIN_PROBABILITY = 0.3

/** Who can say whether an answer to this task is right: in prose, or in the reviewers' own form and in their fields. */
export const canReview =
  ({ tags }: Analysis): ((candidate: Candidate) => boolean) =>
  candidate => {
    if (!isTrainedReviewer(candidate)) return !isBare(candidate)
    const fields = candidate.model.card.tags.filter(tag => tag.startsWith(FIELD)).map(tag => tag.slice(FIELD.length))
    const likely = tags.filter(({ probability }) => probability >= MIN_PROBABILITY)
    return fields.length === 0 || likely.some(({ tag }) => fields.includes(tag.replace(/^skill:/u, '')))
  }
