"""Checks the corpus with an implementation of its own: python3 test/corpus/check.py (needs the package `cryptography`).

Written from docs/protocol.md alone: CBOR encoder, node ids, JWS. Prints one line per file; stops at the first fault.
"""
import base64, hashlib, json, pathlib, struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def head(major, n):
    for info, size, limit in ((24, 1, 1 << 8), (25, 2, 1 << 16), (26, 4, 1 << 32), (27, 8, 1 << 64)):
        if n < 24:
            return bytes([major << 5 | n])
        if n < limit:
            return bytes([major << 5 | info]) + n.to_bytes(size, "big")


def encode(v):
    if v is None or isinstance(v, bool):
        return {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[v]
    if isinstance(v, float) and v.is_integer() and abs(v) < 2**53:
        v = int(v)
    if isinstance(v, int):
        return head(0, v) if v >= 0 else head(1, -1 - v)
    if isinstance(v, float):
        for code, form in ((b"\xf9", ">e"), (b"\xfa", ">f")):
            try:
                if struct.unpack(form, struct.pack(form, v))[0] == v:
                    return code + struct.pack(form, v)
            except OverflowError:
                pass
        return b"\xfb" + struct.pack(">d", v)
    if isinstance(v, bytes):
        return head(2, len(v)) + v
    if isinstance(v, str):
        return head(3, len(v.encode())) + v.encode()
    if isinstance(v, list):
        return head(4, len(v)) + b"".join(map(encode, v))
    return head(5, len(v)) + b"".join(k + encode(x) for k, x in sorted((encode(k), x) for k, x in v.items()))


def value(v):
    """Byte strings and infinities, which JSON has no word for."""
    if isinstance(v, dict):
        if "$bytes" in v:
            return bytes.fromhex(v["$bytes"])
        if "$float" in v:
            return float(v["$float"])
        return {k: value(x) for k, x in v.items()}
    return [value(x) for x in v] if isinstance(v, list) else v


def key_of(node):
    n = 0
    for c in node:
        n = n * 58 + ALPHABET.index(c)
    data = n.to_bytes(38, "big")
    assert data[:6] == bytes.fromhex("002408011220")
    return data[6:]


def unbase64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def check(kind, example):
    if kind == "refused":
        return
    if "cbor" in example:
        assert encode(value(example["value"])).hex() == example["cbor"], example["about"]
        return
    payload = example["canonical"].encode()
    assert json.loads(payload) == example["document"]
    assert "sha256:" + hashlib.sha256(payload).hexdigest() == example["digest"]
    for signer in example["signers"]:
        head64, payload64, signature = signer["jws"].split(".")
        assert unbase64(payload64) == payload
        header = json.loads(unbase64(head64))
        assert header["alg"] == "EdDSA" and header["kid"] == signer["node"] and len(header) == 3
        Ed25519PublicKey.from_public_bytes(key_of(signer["node"])).verify(
            unbase64(signature), f"{head64}.{payload64}".encode()
        )
        private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(signer["seed"]))
        assert private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw) == key_of(signer["node"])


for file in sorted((pathlib.Path(__file__).parent / "v1").glob("*.json")):
    corpus = json.loads(file.read_text())
    for example in corpus["examples"]:
        check(corpus["kind"], example)
    print(file.name, len(corpus["examples"]))
