"""A stand-in text model: it answers out of the context it was given and says that it is no model.

The reply is a function of the request alone, so tests can rely on it. It picks the sentences of the system
and earlier messages that share most words with the question: enough to see that retrieval reached the prompt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from trailboss.sandbox.products.embeddings import COMMON

LABEL = "[sandbox model]"
QUOTED_SENTENCES = 3
DEFAULT_TOKENS = 256


def messages_of(body: dict[str, Any]) -> list[dict[str, str]]:
    """The conversation in a Workers AI request: `messages`, or `prompt` as one of the user's."""
    if isinstance(body.get("messages"), list):
        return [
            {"role": str(one.get("role", "user")), "content": _text(one.get("content"))}
            for one in body["messages"]
            if isinstance(one, dict)
        ]
    return [{"role": "user", "content": str(body.get("prompt", ""))}]


def _text(content: Any) -> str:
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")


def answer(body: dict[str, Any]) -> str:
    """What the stand-in says, always beginning with its label."""
    messages = messages_of(body)
    asked = [one for one in messages if one["role"] == "user"]
    question = asked[-1]["content"] if asked else ""
    context = " ".join(one["content"] for one in messages if not (asked and one is asked[-1]))
    quotes = _relevant(context, question)
    if quotes:
        text = f"{LABEL} From the context: {' '.join(quotes)}"
    else:
        text = f"{LABEL} You said: {question.strip()}"
    return " ".join(text.split(" ")[: int(body.get("max_tokens") or DEFAULT_TOKENS)])


def _relevant(context: str, question: str) -> list[str]:
    wanted = _words(question)
    sentences = [one.strip() for one in re.split(r"(?<=[.!?])\s+|\n+", context) if one.strip()]
    scored = [(len(_words(one) & wanted), -at, one) for at, one in enumerate(sentences)]
    best = sorted((one for one in scored if one[0]), reverse=True)[:QUOTED_SENTENCES]
    return [one[2] for one in sorted(best, key=lambda one: -one[1])]


def _words(text: str) -> set[str]:
    return {word.rstrip("s") for word in re.findall(r"\w+", text.lower()) if word not in COMMON}


def pieces(text: str) -> Iterator[str]:
    """The answer as a stream would deliver it, word by word."""
    yield from re.findall(r"\S+\s*", text)


def usage(body: dict[str, Any], text: str) -> dict[str, int]:
    """Token counts, one per word."""
    prompt = sum(len(one["content"].split()) for one in messages_of(body))
    completion = len(text.split())
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
