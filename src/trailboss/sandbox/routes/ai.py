"""Workers AI: running models, and the catalogue, for the API and for the Workers' binding.

Faithful: shapes, streaming, embeddings of each model's dimensions that put similar texts near each other.
Simplified: no model runs. Text is a stand-in that says so (`[sandbox model]`), unless an OpenAI-compatible
server is named (see `products/ai_forward.py`). Images, audio and translation are not emulated.
https://developers.cloudflare.com/api/resources/ai/
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Raw, Reply, encode_json
from trailboss.sandbox.products import text_model
from trailboss.sandbox.products.ai_forward import Server, ServerFailed
from trailboss.sandbox.products.embeddings import DIMENSIONS, embed
from trailboss.sandbox.refusals import ApiError, bad_request, not_emulated
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record

TEXT_MODELS = (
    "@cf/meta/llama-3.1-8b-instruct",
    "@cf/meta/llama-3.1-8b-instruct-fast",
    "@cf/meta/llama-3.2-3b-instruct",
    "@cf/meta/llama-3.3-70b-instruct-fp8-fast",
    "@cf/meta/llama-4-scout-17b-16e-instruct",
    "@cf/mistralai/mistral-small-3.1-24b-instruct",
    "@cf/openai/gpt-oss-120b",
    "@cf/openai/gpt-oss-20b",
    "@cf/qwen/qwen3-30b-a3b-fp8",
    "@cf/google/gemma-3-12b-it",
)
RERANKERS = ("@cf/baai/bge-reranker-base",)
TEXT, EMBEDDINGS, RERANKING = "Text Generation", "Text Embeddings", "Text Classification"
TASKS = {
    **dict.fromkeys(TEXT_MODELS, TEXT),
    **dict.fromkeys(DIMENSIONS, EMBEDDINGS),
    **dict.fromkeys(RERANKERS, RERANKING),
}
MAX_TEXTS = 100


def no_such_model(name: str) -> ApiError:
    """Not a model of Workers AI."""
    return ApiError(
        400, 7000, "No route for that URI", more=[{"code": 5007, "message": f"No such model {name}"}]
    )


def bad_input(detail: str) -> ApiError:
    """The model's schema does not allow it."""
    return ApiError(400, 5006, f"AiError: Bad input: {detail}")


def upstream_failed(error: ServerFailed) -> ApiError:
    """The named server could not answer."""
    return ApiError(502, 3043, f"AiError: {error}")


async def run(call: Call, model: str, body: Record) -> Any:
    """The result of a model: JSON, or a stream of `data:` lines.

    Raises:
        ApiError: 5006, 7000, 3043.
    """
    if not model.startswith(("@cf/", "@hf/")):
        raise no_such_model(model)
    server = Server.from_environment()
    try:
        if model in DIMENSIONS:
            return await _embeddings(server, model, body)
        if model in RERANKERS:
            return _ranking(body)
        if "messages" in body or "prompt" in body:
            return await _text(server, model, body)
    except ServerFailed as error:
        raise upstream_failed(error) from error
    if TASKS.get(model) == TEXT:
        raise bad_input("must have required property 'prompt' or 'messages'")
    raise not_emulated(f"The model {model}")


async def _embeddings(server: Server | None, model: str, body: Record) -> Record:
    texts = [body["text"]] if isinstance(body.get("text"), str) else body.get("text")
    if not isinstance(texts, list) or not 0 < len(texts) <= MAX_TEXTS:
        raise bad_input(f"text must be a string or a list of 1 to {MAX_TEXTS} strings")
    if not all(isinstance(text, str) for text in texts):
        raise bad_input("text must be a list of strings")
    if server is not None and server.embedding_model:
        data = await server.embed(model, texts)
    else:
        data = [embed(text, DIMENSIONS[model]) for text in texts]
    return {"shape": [len(data), len(data[0])], "data": data, "pooling": body.get("pooling", "mean")}


def _ranking(body: Record) -> Record:
    query, contexts = body.get("query"), body.get("contexts")
    if not isinstance(query, str) or not isinstance(contexts, list):
        raise bad_input("query and contexts are required")
    target = embed(query, 768)
    scored = [
        {"id": at, "score": sum(a * b for a, b in zip(target, embed(str(one["text"]), 768), strict=True))}
        for at, one in enumerate(contexts)
    ]
    scored.sort(key=lambda one: -one["score"])
    return {"response": scored[: int(body.get("top_k") or len(scored))]}


async def _text(server: Server | None, model: str, body: Record) -> Any:
    if body.get("stream"):
        pieces = server.stream(model, body) if server else _stand_in(body)
        return Raw(_events(pieces), content_type="text/event-stream")
    if server is not None:
        return await server.chat(model, body)
    text = text_model.answer(body)
    return {"response": text, "tool_calls": [], "usage": text_model.usage(body, text)}


async def _stand_in(body: Record) -> AsyncIterator[str]:
    for piece in text_model.pieces(text_model.answer(body)):
        yield piece


async def _events(pieces: AsyncIterator[str]) -> AsyncIterator[bytes]:
    count = 0
    async for piece in pieces:
        count += 1
        yield f"data: {json.dumps({'response': piece, 'p': ''})}\n\n".encode()
    usage = {"prompt_tokens": 0, "completion_tokens": count, "total_tokens": count}
    yield f"data: {json.dumps({'response': '', 'usage': usage})}\n\n".encode()
    yield b"data: [DONE]\n\n"


async def run_model(call: Call) -> Any:
    """POST ai/run/{model}: the model's slashes may be written plainly or percent-encoded."""
    return await run(call, call["model"], await call.object())


async def from_binding(call: Call, rest: str) -> Raw:
    """`env.AI.run` and `env.AI.models`: answers and errors without an envelope."""
    operation = rest.strip("/")
    if operation == "ai-api/models/search":
        return _json({"success": True, "result": _found(call)})
    if operation not in {"run", "ai-gateway/run"}:
        return _failure(not_emulated(f"env.AI's {operation}"))
    body = await call.object()
    try:
        result = await run(call, call.headers.get("cf-consn-model-id", ""), body.get("inputs") or {})
    except ApiError as error:
        return _failure(error)
    return result if isinstance(result, Raw) else _json(result)


def _json(value: Any) -> Raw:
    return Raw(
        encode_json(value), headers={"cf-ai-req-id": str(uuid.uuid4())}, content_type="application/json"
    )


def _failure(error: ApiError) -> Raw:
    body = {"internalCode": error.code, "description": error.message, "name": "AiError"}
    return Raw(encode_json(body), error.status, content_type="application/json")


def _found(call: Call) -> list[Record]:
    wanted, task, author = (call.query(name).lower() for name in ("search", "task", "author"))
    return [
        _model(name, kind)
        for name, kind in TASKS.items()
        if wanted in name and task in kind.lower() and (not author or name.split("/")[1] == author)
    ]


def _model(name: str, task: str) -> Record:
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        "source": 1,
        "name": name,
        "description": "Answered by the sandbox's stand-in.",
        "task": {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, task)), "name": task, "description": task},
        "tags": [],
        "properties": [],
    }


async def search_models(call: Call) -> Reply:
    """The catalogue."""
    return call.paged(_found(call), per_page=50)


async def get_schema(call: Call) -> Record:
    """What a model takes and gives, roughly."""
    if call.query("model") not in TASKS:
        raise ApiError(404, 6002, "Model schema not found")
    any_object = {"type": "object", "description": "", "additionalProperties": True}
    return {"input": any_object, "output": any_object}


async def search_tasks(call: Call) -> Reply:
    """The tasks of the catalogue."""
    return call.paged([_model("", task)["task"] for task in dict.fromkeys(TASKS.values())])


async def list_finetunes(call: Call) -> Reply:
    """The account's fine-tunes."""
    return call.single(call.store.all("ai_finetune"))


async def create_finetune(call: Call) -> Record:
    """A name for two files that follow."""
    body = await call.object()
    if not body.get("name") or not body.get("model"):
        raise bad_request("name and model are required", 1000)
    record = {
        "id": call.ids.uuid(),
        "model": body["model"],
        "name": body["name"],
        "description": body.get("description") or "",
        "public": bool(body.get("public", False)),
        "created_at": call.clock.iso(),
        "modified_at": call.clock.iso(),
    }
    return call.store.put("ai_finetune", record["id"], record)


async def add_asset(call: Call) -> Record:
    """One of `adapter_config.json` and `adapter_model.safetensors`."""
    if call.store.get("ai_finetune", call["finetune_id"]) is None:
        raise ApiError(404, 1001, "Finetune not found")
    parts = {part.name: part.data for part in await call.form()}
    if parts.get("file_name") not in {b"adapter_config.json", b"adapter_model.safetensors"}:
        raise bad_request("file_name must be adapter_config.json or adapter_model.safetensors", 1000)
    return {"success": True}


router = Router("ai")
_STREAMS = "the result depends on the model"
router.add("POST", "A/ai/run/{model:path}", run_model, sdk="ai.run", unchecked=_STREAMS)
router.add("GET", "A/ai/models/search", search_models, sdk="ai.models.list", unchecked="any object")
router.add(
    "GET", "A/ai/models/schema", get_schema, sdk="ai.models.schema.get", reply="ai.models.SchemaGetResponse"
)
router.add("GET", "A/ai/tasks/search", search_tasks, sdk="ai.tasks.list", unchecked="any object")
router.add("GET", "A/ai/finetunes", list_finetunes, sdk="ai.finetunes.list", reply="ai.FinetuneListResponse")
router.add(
    "POST",
    "A/ai/finetunes",
    create_finetune,
    sdk="ai.finetunes.create",
    request="ai.FinetuneCreateParams",
    reply="ai.FinetuneCreateResponse",
)
router.add(
    "POST",
    "A/ai/finetunes/{finetune_id}/finetune-assets",
    add_asset,
    sdk="ai.finetunes.assets.create",
    request="ai.finetunes.AssetCreateParams",
    reply="ai.finetunes.AssetCreateResponse",
)
router.binding("ai", from_binding)
