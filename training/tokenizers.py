"""The family's tokenizers, each the exact twin of one that llama.cpp implements.

`qwen2`      byte-level BPE, every digit a token of its own
`llama-bpe`  byte-level BPE, digits in groups of up to three, whole groups are tokens
`bytes`      byte-level BPE without merges: every byte is a token
`spm`        SentencePiece-style pieces merged by score, digits split, unknown characters as bytes
`spm-chars`  the same with single characters only
"""
import re
from collections import Counter

CONTROLS = ["<|bos|>", "<|q|>", "<|a|>", "<|end|>"]
CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
TAIL = r"| ?(?:[^\s\w]|_)+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LETTERS = r"|(?:[^\r\n\w]|_)?[^\W\d_]+"
SPLITS = {
    "qwen2": re.compile(CONTRACTIONS + LETTERS + r"|\d" + TAIL),
    "llama-bpe": re.compile(CONTRACTIONS + LETTERS + r"|\d{1,3}" + TAIL),
}
SPLITS["bytes"] = SPLITS["qwen2"]
SPM_CHUNK = re.compile(r"▁?[^\W\d_]+|\d|▁|[^\w]|_")


def byte_alphabet():
    """GPT-2's printable stand-in for each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table, extra = {byte: chr(byte) for byte in plain}, 256
    for byte in range(256):
        if byte not in table:
            table[byte] = chr(extra)
            extra += 1
    return table


ALPHABET = byte_alphabet()


def learn_merges(words, count, frozen=lambda piece: False):
    """Plain BPE training over a counter of symbol tuples: the list of merged pairs, most frequent first."""
    words, merges = Counter(words), []
    while len(merges) < count:
        pairs = Counter()
        for word, times in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += times
        pairs = Counter({pair: n for pair, n in pairs.items() if not frozen(pair[0] + pair[1])})
        if not pairs:
            break
        best, times = min(pairs.items(), key=lambda entry: (-entry[1], entry[0]))
        if times < 2:
            break
        merges.append(best)
        renewed = Counter()
        for word, n in words.items():
            renewed[merge_pair(word, best)] += n
        words = renewed
    return merges


def merge_pair(word, pair):
    """Join every occurrence of a neighbouring pair, left to right."""
    out, index = [], 0
    while index < len(word):
        if index + 1 < len(word) and (word[index], word[index + 1]) == pair:
            out.append(word[index] + word[index + 1])
            index += 2
        else:
            out.append(word[index])
            index += 1
    return tuple(out)


class Tokenizer:
    """What training needs of a tokenizer; `pieces` in id order go to the GGUF file."""

    def __init__(self, kind):
        self.kind, self.cache = kind, {}

    def finish(self, pieces):
        self.pieces = pieces
        self.ids = {piece: index for index, piece in enumerate(pieces)}
        self.bos, self.question, self.answer, self.end = (self.ids[name] for name in CONTROLS)

    def encode(self, text):
        """Ids of plain text, without control tokens."""
        out = []
        for chunk in self.chunks(text):
            known = self.cache.get(chunk)
            if known is None:
                known = self.cache[chunk] = self.encode_chunk(chunk)
            out += known
        return out

    def dialogue(self, question, reply):
        """One training row, and how many of its tokens are the prompt."""
        prompt = [self.bos, self.question, *self.encode(question), self.answer]
        return prompt + self.encode(reply) + [self.end], len(prompt)


class Bpe(Tokenizer):
    """Byte-level BPE as in GPT-2, with the pre-split of the named family."""

    def __init__(self, kind, texts, size):
        super().__init__(kind)
        self.split = SPLITS[kind]
        words = Counter()
        for text in texts:
            for chunk in self.chunks(text):
                words[tuple(ALPHABET[b] for b in chunk.encode())] += 1
        base = sorted(ALPHABET.values())
        if kind == "bytes":
            self.merges = [(ALPHABET[0xFE], ALPHABET[0xFF])]  # never occurs in UTF-8; the file format wants one merge
        else:
            self.merges = learn_merges(words, size - 256 - len(CONTROLS))
        merged = list(dict.fromkeys(a + b for a, b in self.merges))
        self.ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        self.finish(base + merged + CONTROLS)

    @classmethod
    def restored(cls, kind, pieces, merges):
        """A tokenizer from the pieces and merges that a file holds."""
        self = cls.__new__(cls)
        Tokenizer.__init__(self, kind)
        self.split, self.merges = SPLITS[kind], merges
        self.ranks = {pair: rank for rank, pair in enumerate(merges)}
        self.finish(pieces)
        return self

    def chunks(self, text):
        return [match.group() for match in self.split.finditer(text)]

    def encode_chunk(self, chunk):
        word = tuple(ALPHABET[b] for b in chunk.encode())
        if self.kind == "llama-bpe" and "".join(word) in self.ids:  # llama.cpp: ignore_merges
            return [self.ids["".join(word)]]
        while len(word) > 1:
            best = min(zip(word, word[1:]), key=lambda pair: self.ranks.get(pair, 1 << 30))
            if best not in self.ranks:
                break
            word = merge_pair(word, best)
        return [self.ids[piece] for piece in word]

    def scores(self):
        return None


class Spm(Tokenizer):
    """SentencePiece pieces: neighbours join while their union is a piece, highest score first."""

    def __init__(self, kind, texts, size):
        super().__init__(kind)
        words, letters = Counter(), Counter()
        for text in texts:
            for chunk in self.chunks(text):
                words[tuple(chunk)] += 1
                letters.update(chunk)
        alphabet = sorted(set(letters) | set(map(chr, range(33, 127))) | {"▁"})
        fixed = ["<unk>", *CONTROLS, *(f"<0x{byte:02X}>" for byte in range(256))]
        self.merged = []
        if kind == "spm":
            pairs = learn_merges(words, size - len(fixed) - len(alphabet))
            self.merged = list(dict.fromkeys(a + b for a, b in pairs))
        self.rank = {piece: index for index, piece in enumerate(self.merged)}
        self.finish(fixed + self.merged + alphabet)

    def chunks(self, text):
        return SPM_CHUNK.findall(text.replace(" ", "▁"))

    def encode_chunk(self, chunk):
        word = list(chunk)
        while len(word) > 1:
            rank, index = min((self.rank.get(a + b, 1 << 30), i) for i, (a, b) in enumerate(zip(word, word[1:])))
            if rank == 1 << 30:
                break
            word[index:index + 2] = [word[index] + word[index + 1]]
        out = []
        for piece in word:
            out += [self.ids[piece]] if piece in self.ids else [self.ids[f"<0x{b:02X}>"] for b in piece.encode()]
        return out

    def scores(self):
        """Earlier merges score higher; single characters and bytes score lowest."""
        return [-float(self.rank.get(piece, len(self.rank) + 1)) for piece in self.pieces]


def make_tokenizer(kind, texts, size):
    """Train a tokenizer of the given kind on sample texts."""
    return (Spm if kind.startswith("spm") else Bpe)(kind, texts, size)
