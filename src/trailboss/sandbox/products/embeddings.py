"""Stand-in embeddings: hashed bags of words, so that texts about the same things really are near each other.

Deterministic over machines and runs. Stems of words and their letter triples are hashed with signs into the
model's dimensions; common words weigh little; the vector has length one. No model is behind it, and none is
needed to test that retrieval works.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from functools import lru_cache

DIMENSIONS = {
    "@cf/baai/bge-small-en-v1.5": 384,
    "@cf/baai/bge-base-en-v1.5": 768,
    "@cf/baai/bge-large-en-v1.5": 1024,
    "@cf/baai/bge-m3": 1024,
    "@cf/google/embeddinggemma-300m": 768,
    "@cf/qwen/qwen3-embedding-0.6b": 1024,
    "@cf/pfnet/plamo-embedding-1b": 2048,
}
_COMMON_WORDS = """
a an and are as at be but by can do does for from has have how i if in into is it its not of on or our so that
the their there they this to was we what when where which who why will with you your
"""
COMMON = frozenset(_COMMON_WORDS.split())
TRIPLE_WEIGHT = 0.25
COMMON_WEIGHT = 0.1


def embed(text: str, dimensions: int) -> list[float]:
    """A unit vector for `text`; the zero vector only for a text without a letter or digit."""
    vector = [0.0] * dimensions
    for feature, weight in _features(text).items():
        place, sign = _place(feature)
        vector[place % dimensions] += sign * weight
    norm = math.sqrt(sum(value * value for value in vector))
    return [value / norm for value in vector] if norm else vector


def _features(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for word, count in Counter(re.findall(r"\w+", text.lower())).items():
        weight = math.sqrt(count) * (COMMON_WEIGHT if word in COMMON else 1.0)
        stem = _stem(word)
        found[stem] = found.get(stem, 0.0) + weight
        padded = f"<{stem}>"
        for at in range(len(padded) - 2):
            triple = f"#{padded[at : at + 3]}"
            found[triple] = found.get(triple, 0.0) + weight * TRIPLE_WEIGHT
    return found


def _stem(word: str) -> str:
    for ending in ("ingly", "edly", "ing", "ies", "ed", "es", "ly", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


@lru_cache(maxsize=65536)
def _place(feature: str) -> tuple[int, float]:
    digest = hashlib.blake2b(feature.encode(), digest_size=8).digest()
    value = int.from_bytes(digest, "big")
    return value >> 1, 1.0 if value & 1 else -1.0
