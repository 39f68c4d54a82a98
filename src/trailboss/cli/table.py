"""Every command there is: ours with the module that holds it, and wrangler's, which are handed over.

Plain data, so that help and completion need to import nothing else. A command of ours is
`module:attribute` below `trailboss.cli.commands`; `wrangler` says that wrangler has a command of this
name too, so that an option only wrangler knows can go to wrangler.
"""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One command: its words, one line about it, where it is, and whether wrangler has it as well."""

    words: str
    summary: str
    module: str = ""
    wrangler: bool = False


SHIP = (
    Entry("deploy", "Build, upload and put the Worker live", "deploy:deploy", True),
    Entry("versions upload", "Upload a version that takes no traffic yet", "versions:upload", True),
    Entry(
        "versions list", "The latest versions, and what share of traffic each has", "versions:listing", True
    ),
    Entry("versions view", "Everything about one version", "versions:view", True),
    Entry("versions deploy", "Choose which versions take which share of traffic", "versions:deploy", True),
    Entry("versions secret", "Secrets that ship with a new version", "", True),
    Entry("versions secret put", "One secret on a version without traffic", "secret_staged:put", True),
    Entry("versions secret bulk", "Many secrets on a version without traffic", "secret_staged:bulk", True),
    Entry("versions secret delete", "A version without one secret", "secret_staged:delete", True),
    Entry("versions secret list", "Names of the secrets of each version", "secret_staged:listing", True),
    Entry("rollback", "Go back to an earlier version", "rollback:rollback", True),
    Entry("preview", "An environment for a branch or a pull request", "preview:create", True),
    Entry("preview create", "The same", "preview:create"),
    Entry("preview list", "The previews, where they answer and when they end", "preview:listing"),
    Entry("preview delete", "Take a preview out of the account", "preview:delete", True),
    Entry("promote", "Release in one environment what another has live", "promote:promote"),
    Entry("release status", "The rollout under way, or how the last one ended", "release:status"),
    Entry("release watch", "Follow a rollout until it is over", "release:watch"),
    Entry("release resume", "Go on with a rollout that is held, paused or abandoned", "release:resume"),
    Entry("release pause", "Keep the traffic as it is split now", "release:pause"),
    Entry("release promote", "Go to the next step without waiting for proof", "release:promote"),
    Entry("release abort", "Give all traffic back to the version before", "release:abort"),
    Entry("release counter", "Count every request by version, in a Tail Worker", "release:counter"),
    Entry("delete", "Delete the Worker", "delete:delete", True),
    Entry("secret put", "Set one secret (asked for, or read from stdin)", "secret:put", True),
    Entry("secret bulk", "Set many secrets from a dotenv or JSON file", "secret:bulk", True),
    Entry("secret list", "Names of the secrets", "secret:listing", True),
    Entry("secret delete", "Delete one secret", "secret:delete", True),
    Entry("secret status", "Do the secrets that run have the vault's values", "secret_values:status"),
    Entry("secret rotate", "New values for everything that runs, traffic as it is", "secret_values:rotate"),
)
LOOK = (
    Entry(
        "deployments list", "The latest deployments: who, when, which versions", "deployments:listing", True
    ),
    Entry("deployments status", "What takes traffic right now", "deployments:status", True),
    Entry("watch", "Guard a release: roll it back when it burns the error budget", "watch:watch"),
    Entry("history", "What was released, how, by whom and why", "history:history"),
    Entry("tail", "Follow requests, logs and exceptions as they happen", "tail:tail", True),
    Entry("whoami", "Which account and token this acts with", "whoami:whoami", True),
)
SANDBOX = (
    Entry("sandbox start", "Start the emulated Cloudflare account", "sandbox:start"),
    Entry("sandbox stop", "Stop it; its data stays", "sandbox:stop"),
    Entry("sandbox status", "Is it running, and where", "sandbox:status"),
    Entry("sandbox env", "Shell lines that point any Cloudflare tool at it", "sandbox:env"),
    Entry("sandbox reset", "Empty the account", "sandbox:reset"),
    Entry("sandbox seed", "Fill it from a JSON file", "sandbox_control:seed"),
    Entry("sandbox snapshot", "Save its whole state under a name", "sandbox_control:snapshot"),
    Entry("sandbox restore", "Return to a saved state", "sandbox_control:restore"),
    Entry("sandbox clock", "Show, move or stop its clock", "sandbox_control:clock"),
    Entry("sandbox faults", "Make its API fail on purpose", "sandbox_control:faults"),
    Entry("sandbox journal", "The API requests it has seen", "sandbox_control:journal"),
)
RESOURCES = (
    Entry("plan", "What has to change so that the account is as the files say", "plan:plan"),
    Entry("apply", "Make it so", "plan:apply"),
    Entry("adopt", "Write what exists already into the file", "adopt:adopt"),
    Entry("d1 create", "Create a D1 database and its binding", "resources:d1", True),
    Entry("kv namespace create", "Create a KV namespace and its binding", "resources:kv_namespace", True),
    Entry("r2 bucket create", "Create an R2 bucket and its binding", "resources:r2_bucket", True),
    Entry("queues create", "Create a queue and its binding", "resources:queues", True),
    Entry("vectorize create", "Create a Vectorize index and its binding", "resources:vectorize", True),
    Entry("hyperdrive create", "Create a Hyperdrive and its binding", "services:hyperdrive", True),
    Entry("mtls enable", "Give the Worker a client certificate", "services:mtls_enable"),
    Entry("analytics create", "Bind an Analytics Engine dataset", "services:analytics"),
    Entry("security-level set", "How readily a zone challenges visitors", "zone:security_level"),
    Entry("rate-limit create", "Limit how often a visitor may call", "zone:rate_limit"),
    Entry("ruleset deploy", "Deploy the rules the file has under a name", "zone:ruleset"),
    Entry("custom-domain add", "Serve the Worker at a hostname of a zone", "zone:custom_domain"),
    Entry("certificate create", "Order a certificate, and wait for it", "zone:certificate"),
    Entry("origin-pool create", "Create a pool of origins with a monitor", "zone:origin_pool"),
    Entry("load-balancer create", "Create a load balancer over pools", "zone:load_balancer"),
    Entry("smart-routing enable", "Switch Argo smart routing on", "zone:smart_routing_enable"),
    Entry("smart-routing disable", "Switch it off", "zone:smart_routing_disable"),
)
DEVELOP = (
    Entry("dev", "Run the Workers on this machine, with hot reload", "dev:dev", True),
    Entry("dev trust", "Make this machine believe the local https certificate", "dev:trust"),
    Entry("tunnel create", "Make a tunnel", "tunnel:create", True),
    Entry("tunnel list", "The tunnels, and which are connected", "tunnel:listing", True),
    Entry("tunnel info", "One tunnel and the host names that lead to it", "tunnel:info", True),
    Entry("tunnel delete", "Delete a tunnel", "tunnel:delete", True),
    Entry("tunnel route", "Lead a public host name to a tunnel", "tunnel:route"),
    Entry("tunnel run", "Run a tunnel from this machine", "tunnel:run_", True),
    Entry("tunnel forward", "Carry a TCP connection through a tunnel", "tunnel:forward"),
    Entry("db connect", "psql or mysql on a database behind a tunnel", "db:connect"),
    Entry("seed", "Fill an environment with the data it begins with", "seed:seed"),
    Entry("test e2e", "The project's end-to-end tests against an environment", "e2e:e2e"),
    Entry("test performance", "Load, compared with a stored baseline", "test:performance"),
    Entry("d1 execute", "SQL on a D1 database, also behind a tunnel", "d1:execute", True),
    Entry("ssh", "A shell on a machine behind a tunnel", "ssh:ssh"),
    Entry("ssh config", "The lines of ssh_config for a machine behind a tunnel", "ssh:config"),
)
PROJECT = (
    Entry("init", "Start a project, or adopt an existing wrangler one", "init:init", True),
    Entry("environments create", "Add an environment to the files", "environments:create"),
    Entry("environments list", "The environments, and which is active", "environments:listing"),
    Entry("environments show", "What an environment comes to", "environments:show"),
    Entry("environments diff", "In what two environments differ", "environments:diff"),
    Entry("environments delete", "Remove an environment from the files", "environments:delete"),
    Entry("ci init", "Write this project's pipeline for GitHub or GitLab", "ci:init"),
    Entry("ci comment", "What a pull request would change, as a comment", "ci:comment"),
    Entry("environments reap", "End the environments whose time has come", "ephemeral:reap"),
    Entry("op init", "Keep this project's secrets in 1Password", "op:init"),
    Entry("token permissions", "What an API token needs for this project", "token:permissions"),
    Entry("doctor", "Check this machine, the project and the account", "doctor:doctor"),
    Entry("schema", "JSON Schema of trailboss.toml, for editors", "schema:schema"),
    Entry("completion", "Completion script for bash, zsh or fish", "completion:completion"),
    Entry("wrangler", "Hand the rest of the line to wrangler as it is"),
)
SECTIONS = (
    ("Develop", DEVELOP),
    ("Ship", SHIP),
    ("Look", LOOK),
    ("Resources", RESOURCES),
    ("Sandbox", SANDBOX),
    ("Project", PROJECT),
)

OURS = {entry.words: entry for _, entries in SECTIONS for entry in entries}
OURS["publish"] = Entry("publish", "Old name of deploy", "deploy:deploy", True)
OURS["import"] = Entry("import", "Another name of adopt", "adopt:adopt")
OURS["complete"] = Entry("complete", "wrangler's name of completion", "completion:completion", True)

GROUPS = tuple(dict.fromkeys(words.split()[0] for words in OURS if " " in words))

WRANGLER = {
    "agent-memory": "Agent Memory namespaces",
    "ai": "AI models",
    "ai-search": "AI Search instances",
    "artifacts": "Artifacts namespaces and repositories",
    "auth": "Authentication",
    "basin": "Basin products",
    "browser": "Browser Run sessions",
    "cert": "Client and CA certificates",
    "containers": "Containers",
    "d1": "D1 databases",
    "dev": "A local server for developing",
    "dispatch-namespace": "Dispatch namespaces",
    "docs": "Open wrangler's documentation",
    "email": "E-mail services",
    "flagship": "Feature flags",
    "hyperdrive": "Hyperdrive databases",
    "k2": "K2 streams",
    "kv": "KV namespaces and keys",
    "login": "Log in to Cloudflare",
    "logout": "Log out",
    "mtls-certificate": "mTLS certificates",
    "pages": "Cloudflare Pages",
    "pipelines": "Pipelines",
    "preview": "A preview deployment",
    "queues": "Queues",
    "r2": "R2 buckets and objects",
    "secrets-store": "The Secrets Store",
    "setup": "Prepare a project for Cloudflare",
    "triggers": "Routes, domains and schedules",
    "tunnel": "Tunnels",
    "turnstile": "Turnstile widgets",
    "types": "TypeScript types from the configuration",
    "vectorize": "Vectorize indexes",
    "vpc": "VPC services",
    "workflows": "Workflows",
}


def members(group: str) -> list[Entry]:
    """The commands of a group, in the order of the table."""
    return [entry for words, entry in OURS.items() if words.startswith(f"{group} ")]
