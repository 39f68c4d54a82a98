"""A stand-in for 1Password's `op` program (version 2), as its documentation and its users describe it.

It is run as a program of its own. Beside it lie `state.json` (what it holds, and what is wrong with it) and
`calls.jsonl`, where it writes down the arguments, the variables and the names of its parents of each call.
Known: `--version`, `inject`, `item get`, `run`. Messages and exit statuses are those of `op` 2."""

import datetime
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Refused(Exception):
    pass


def main(words):
    state = json.loads((HERE / "state.json").read_text())
    with (HERE / "calls.jsonl").open("a") as log:
        log.write(json.dumps({"argv": words, "environ": dict(os.environ), "at": str(Path.cwd())}) + "\n")
    if words == ["--version"]:
        print(state.get("version", "2.31.1"))
        return 0
    if state.get("hangs"):
        os.read(os.pipe()[0], 1)
    try:
        if state.get("says"):
            raise Refused(state["says"])
        if words[0] == "inject":
            given = sys.stdin.read()
            sys.stdout.write(inject(given, state))
            return 0
        if words[:2] == ["item", "get"]:
            print(json.dumps(shown(words[2], words[3].partition("=")[2], state)))
            return 0
        if words[0] == "run":
            return run(words[1:], state)
        raise Refused(f'unknown command "{words[0]}" for "op"')
    except Refused as error:
        now = datetime.datetime.now().strftime("%Y/%m/%d %H:%M:%S")
        print(f"[ERROR] {now} {error}", file=sys.stderr)
        return 1


def inject(template, state):
    return re.sub(r"\{\{\s*(op://[^{}]+?)\s*\}\}", lambda match: read(match[1], state), template)


def run(words, state):
    """Values into the variables of the program, and out of what it prints: `op run` conceals them there."""
    at = words.index("--")
    environ = dict(os.environ)
    for word, following in itertools.pairwise(words):
        if word.startswith("--env-file"):
            name = word.partition("=")[2] or following
            environ |= dict(lines_of(Path(name).read_text()))
    values = []
    for name, value in environ.items():
        if value.startswith("op://"):
            environ[name] = read(value, state)
            values.append(environ[name])
    if "--no-masking" in words[:at]:
        return subprocess.run(words[at + 1 :], env=environ).returncode
    done = subprocess.run(words[at + 1 :], env=environ, capture_output=True, text=True)
    sys.stdout.write(concealed(done.stdout, values))
    sys.stderr.write(concealed(done.stderr, values))
    return done.returncode


def lines_of(text):
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            yield name.strip(), value.strip().strip("'\"")


def concealed(text, values):
    for value in values:
        text = text.replace(value, "<concealed by 1Password>") if value else text
    return text


def read(reference, state):
    path, _, query = reference.removeprefix("op://").partition("?")
    vault, item, *section, field = path.split("/")
    fields = item_named(vault, item, state)["fields"]
    if section:
        fields = [entry for entry in fields if entry.get("section", "").casefold() == section[0].casefold()]
        if not fields:
            raise Refused(f"item '{vault}/{item}' does not have a section '{section[0]}'")
    fields = [e for e in fields if field.casefold() in (e["label"].casefold(), e.get("id"))]
    if not fields:
        raise Refused(f"item '{vault}/{item}' does not have a field '{field}'")
    if len(fields) > 1:
        raise Refused(f"more than one field matches '{field}'")
    return fields[0]["otp"] if query == "attribute=otp" else fields[0]["value"]


def item_named(vault, item, state):
    items = found(
        state["vaults"],
        vault,
        f'"{vault}" isn\'t a vault in this account. Specify the vault with its ID or name.',
    )
    matches = [entry for entry in items if entry["title"].casefold() == item.casefold()]
    if not matches:
        raise Refused(
            f"could not resolve item UUID for item {item}: could not find item {item} in vault {vault}"
        )
    if len(matches) > 1:
        raise Refused(f'More than one item matches "{item}". Try again and specify the item by its ID')
    return matches[0]


def shown(item, vault, state):
    """An item as `op item get --format=json` prints it."""
    fields = [
        {
            "id": entry.get("id", entry["label"]),
            "type": entry.get("type", "CONCEALED"),
            "label": entry["label"],
            "value": entry["value"],
            **({"purpose": entry["purpose"]} if "purpose" in entry else {}),
            **({"section": {"id": entry["section"]}} if entry.get("section") else {}),
        }
        for entry in item_named(vault, item, state)["fields"]
    ]
    return {"id": "x" * 26, "title": item, "vault": {"name": vault}, "category": "DATABASE", "fields": fields}


def found(entries, name, otherwise):
    for key, value in entries.items():
        if key.casefold() == name.casefold():
            return value
    raise Refused(otherwise)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
