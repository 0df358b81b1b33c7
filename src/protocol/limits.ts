/** Limits that every reader checks before it parses or allocates. Sizes are bytes unless the name says otherwise. */

/** One frame on a stream. A prompt of 1 M characters of mixed text fits; a whole-vocabulary distribution is sent as top-k. */
export const MAX_FRAME_BYTES: number = 4 * 1024 * 1024
/** One signed ModelCard as a compact JWS. Cards of the shipped models take 1.2 kB. */
export const MAX_CARD_BYTES: number = 16 * 1024
/** One signed member record: 256 digests of 74 bytes, addresses, and a third more for base64. */
export const MAX_MEMBER_BYTES: number = 32 * 1024
/** One signed capability ad: 700 bytes with two capabilities and two addresses. */
export const MAX_AD_BYTES: number = 3 * 1024
/** One membership certificate: 700 bytes. */
export const MAX_CERTIFICATE_BYTES: number = 2 * 1024
/** Nodes one operator may have taken back, and the signed list of them, 115 bytes each. */
export const MAX_REVOKED = 1000
export const MAX_REVOCATIONS_BYTES: number = 128 * 1024
/** Operators one node may trust. */
export const MAX_OPERATORS = 8
/** One signed receipt: 1.1 kB. */
export const MAX_RECEIPT_BYTES: number = 4 * 1024
/** Seconds by which clocks of peers may differ, and the longest lives of signed documents that are believed. */
export const MAX_CLOCK_SKEW_S: number = 5 * 60
export const MAX_MEMBER_LIFE_S: number = 60 * 60
/** Ads are hot state: who leaves without a word is gone from all answers after this at most. */
export const MAX_AD_LIFE_S: number = 10 * 60
export const MAX_CARD_LIFE_S: number = 7 * 24 * 60 * 60
/** Tags of a card. */
export const MAX_TAGS = 64
/** Capabilities one ad may name, and ads of one answer. */
export const MAX_AD_CAPABILITIES = 32
export const MAX_ADS_PER_ANSWER = 30
/** Models one node may announce. */
export const MAX_CARDS_PER_NODE = 256
/** Members gossiped in full (`docs/architecture.md`): beyond this the directory uses capability ads. */
export const MAX_GOSSIPED_MEMBERS = 200
/** Nesting of a CBOR or JSON document. */
export const MAX_NESTING = 32
/** Values in one frame: 2^18 byte strings of one byte each are 0.5 MB on the wire and 57 MB when they are decoded. */
export const MAX_FRAME_ITEMS: number = 2 ** 18
/** Calls open at once on one channel, and parts a receiver allows in flight on one call. */
export const MAX_OPEN_CALLS = 256
export const CALL_CREDIT = 64
/** Messages of one request, and candidates of one token distribution. */
export const MAX_MESSAGES = 512
export const MAX_CANDIDATES = 1024
/** Texts of one `embed` call, and numbers of one vector: those of large models have 4096 to 8192. */
export const MAX_TEXTS = 256
export const MAX_EMBEDDING: number = 64 * 1024
/** Bytes proposed in one `peek` or committed in one step. */
export const MAX_STEP_BYTES: number = 64 * 1024
/** Distributions of one step: after 0, 1, … 4096 bytes of a continuation. */
export const MAX_DISTRIBUTIONS = 4097
/** By how much the probabilities of a distribution may miss 1: float32 log-probabilities of 1024 candidates miss it by 4e-7. */
export const DISTRIBUTION_TOLERANCE = 1e-6
/** The longest deadline a call may carry. */
export const MAX_DEADLINE_MS: number = 60 * 60 * 1000
/** Memory of what waits unread on one channel, bodies of open calls included: 16 frames of the largest size. */
export const MAX_WAITING_BYTES: number = 16 * MAX_FRAME_BYTES
/** Milliseconds a side may wait for credit: a reader that takes nothing for so long has forgotten the call. */
export const MAX_STALL_MS: number = 5 * 60 * 1000
/** Characters of a method name, and of an error's message. */
export const MAX_METHOD_LENGTH = 64
export const MAX_ERROR_LENGTH = 2000
