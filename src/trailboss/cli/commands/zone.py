"""What stands before a Worker in its zone: security level, rate limits, rulesets, domains, certificates,
load balancing, routing. Each command writes a table of trailboss.toml, and then applies it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from trailboss.cli.declare import command
from trailboss.cli.editing import make_resource, show_made, spec_of, zone_of
from trailboss.cli.run import Run
from trailboss.errors import UsageError

if TYPE_CHECKING:
    from trailboss.cli.editing import Made

zone = click.option(
    "--zone", metavar="ZONE", help="A domain, or its name in [zones]; else the only one there."
)
LEVELS = ("off", "essentially_off", "low", "medium", "high", "under_attack")


def _make(run: Run, kind: str, key: str, doing: str, **table: Any) -> Made:
    return make_resource(
        run, kind, key, {name: value for name, value in table.items() if value is not None}, doing=doing
    )


def _show(run: Run, made: Made) -> None:
    run.result(made, lambda output: show_made(output, made))


@command(
    "trailboss security-level set high --env production",
    "trailboss security-level set under_attack --zone production-zone",
)
@click.argument("level", type=click.Choice(LEVELS))
@zone
def security_level(run: Run, level: str, zone: str | None) -> None:
    """Set how readily the zone challenges visitors.

    Cloudflare now acts on `under_attack` alone; the other levels are kept and have no effect of their own.
    """
    written, _ = zone_of(run, zone)
    if level != "under_attack":
        run.output.warn(f"Cloudflare keeps the level '{level}', and acts on under_attack only")
    made = _make(
        run, "zone_setting", "security_level", f"security-level set {level}", zone=written, value=level
    )
    _show(run, made)


@command(
    "trailboss rate-limit create --zone production-zone --requests 100 --period 60 --env production",
    "trailboss rate-limit create slow --requests 5 --period 10 --expression 'http.host eq \"a.example.com\"'",
)
@click.argument("name", default="rate-limit", metavar="[NAME]")
@zone
@click.option("--requests", type=int, required=True, metavar="N", help="How many are let through.")
@click.option("--period", type=int, required=True, metavar="SECONDS", help="In how long: 10, 60, 120, … .")
@click.option("--expression", default="true", metavar="RULE", help="Which requests count; else all.")
@click.option("--by", "by", default="ip.src", metavar="FIELD", help="Counted apart for each of these.")
@click.option("--action", default="block", metavar="ACTION", help="block, challenge, managed_challenge, log.")
@click.option("--timeout", type=int, metavar="SECONDS", help="How long the action lasts; else the period.")
def rate_limit(
    run: Run,
    *,
    name: str,
    zone: str | None,
    requests: int,
    period: int,
    expression: str,
    by: str,
    action: str,
    timeout: int | None,
) -> None:
    """Limit how often a visitor may call, in the zone's http_ratelimit ruleset. Other rules stay as they are.

    Cloudflare counts per data centre, so `cf.colo.id` is always among the characteristics.
    """
    limit = {
        "characteristics": [by],
        "requests_per_period": requests,
        "period": period,
        "mitigation_timeout": period if timeout is None else timeout,
    }
    made = _make(
        run,
        "ruleset_rule",
        name,
        f"rate-limit create {name}",
        zone=zone_of(run, zone)[0],
        phase="http_ratelimit",
        expression=expression,
        action=action,
        ratelimit=limit,
    )
    _show(run, made)


@command(
    "trailboss custom-domain add ai.example.com --zone production-zone --env production",
    "trailboss custom-domain add staging.example.com --env staging",
)
@click.argument("hostname")
@zone
def custom_domain(run: Run, hostname: str, zone: str | None) -> None:
    """Serve the Worker at a hostname of a zone in the account; its DNS record and certificate come with it.

    A DNS record of somebody else's at that name is never overwritten.
    """
    name = zone_of(run, zone)[1] if zone else None
    made = _make(run, "custom_domain", hostname, f"custom-domain add {hostname}", zone_name=name)
    _show(run, made)


@command(
    "trailboss certificate create --zone production-zone --hostname ai.example.com --env production",
    "trailboss certificate create --hostname a.example.com --hostname b.example.com --days 90 --no-wait",
)
@zone
@click.option("--hostname", "hosts", multiple=True, required=True, metavar="HOST", help="May repeat.")
@click.option("--authority", metavar="CA", help="google, lets_encrypt or ssl_com.")
@click.option("--validation", metavar="HOW", help="txt, http or email.")
@click.option("--days", type=int, metavar="DAYS", help="14, 30, 90 or 365.")
@click.option("--no-wait", is_flag=True, help="Do not wait until it is active.")
def certificate(
    run: Run,
    *,
    zone: str | None,
    hosts: tuple[str, ...],
    authority: str | None,
    validation: str | None,
    days: int | None,
    no_wait: bool,
) -> None:
    """Order an advanced certificate, and wait until it is active; what its validation needs is shown.

    The zone itself is always among its hosts, as Cloudflare demands.
    """
    written, domain = zone_of(run, zone)
    made = _make(
        run,
        "certificate_pack",
        hosts[0],
        f"certificate create {hosts[0]}",
        zone=written,
        hosts=list(dict.fromkeys((domain, *hosts))),
        certificate_authority=authority,
        validation_method=validation,
        validity_days=days,
    )
    if not no_wait:
        from trailboss.cli.certificates import wait_active

        wait_active(run, spec_of(run, "certificate_pack", hosts[0]))
    _show(run, made)


@command(
    "trailboss origin-pool create api --origins https://a.example.com,https://b.example.com",
    "trailboss origin-pool create api --origins https://a.example.com:8443 --path /health --interval 30",
)
@click.argument("name")
@click.option("--origins", required=True, metavar="URLS", help="Addresses, with commas between them.")
@click.option("--path", "path", default="/", metavar="PATH", help="What the monitor asks for.")
@click.option("--expected-codes", default="2xx", metavar="CODES", help="What a healthy origin answers.")
@click.option("--interval", type=int, default=60, metavar="SECONDS", help="How often it is asked.")
def origin_pool(run: Run, *, name: str, origins: str, path: str, expected_codes: str, interval: int) -> None:
    """Create a pool of origins with a monitor that watches them."""
    from trailboss.cli.origins import monitor_type, parse

    found = parse(origins)
    monitor = {"type": monitor_type(origins), "method": "GET", "path": path}
    _make(
        run,
        "load_balancer_monitor",
        name,
        f"origin-pool create {name}",
        **monitor,
        expected_codes=expected_codes,
        interval=interval,
    )
    made = _make(run, "load_balancer_pool", name, f"origin-pool create {name}", origins=found, monitor=name)
    _show(run, made)


@command(
    "trailboss load-balancer create ai-platform --zone production-zone --pool production-pool",
    "trailboss load-balancer create www.example.com --pool europe --pool america --steering geo",
)
@click.argument("name")
@zone
@click.option("--pool", "pools", multiple=True, required=True, metavar="POOL", help="May repeat; in order.")
@click.option("--steering", metavar="POLICY", help="off, random, geo, dynamic_latency, proximity, … .")
def load_balancer(
    run: Run, *, name: str, zone: str | None, pools: tuple[str, ...], steering: str | None
) -> None:
    """Create a load balancer at a hostname of the zone: NAME itself, or NAME.ZONE where it has no dot.

    Its pools may come later: it is made with the first of them.
    """
    written, domain = zone_of(run, zone)
    host = name if "." in name else f"{name}.{domain}"
    made = make_resource(
        run,
        "load_balancer",
        name,
        {
            "zone": written,
            "name": host,
            "default_pools": list(pools),
            **({"steering_policy": steering} if steering else {}),
        },
        doing=f"load-balancer create {name}",
        may_wait=True,
    )
    _show(run, made)


@command(
    "trailboss smart-routing enable --zone production-zone --env production",
    "trailboss smart-routing enable --json",
)
@zone
def smart_routing_enable(run: Run, zone: str | None) -> None:
    """Switch Argo smart routing on for the zone."""
    _routing(run, zone, "on")


@command(
    "trailboss smart-routing disable --zone production-zone --env production",
    "trailboss smart-routing disable --json",
)
@zone
def smart_routing_disable(run: Run, zone: str | None) -> None:
    """Switch Argo smart routing off for the zone."""
    _routing(run, zone, "off")


def _routing(run: Run, zone: str | None, value: str) -> None:
    written, domain = zone_of(run, zone)
    made = _make(run, "argo_smart_routing", domain, f"smart-routing {value}", zone=written, value=value)
    _show(run, made)


@command(
    "trailboss ruleset deploy security-ruleset --zone production-zone --env production",
    "trailboss ruleset deploy bots --json",
)
@click.argument("name")
@zone
def ruleset(run: Run, name: str, zone: str | None) -> None:
    """Deploy the rules that trailboss.toml has under a name: [resources.ruleset_rule."NAME/…"].

    The zone's other rules are neither changed nor moved.
    """
    from trailboss.cli.applying import carry_out, result_of, show_applied
    from trailboss.plan.wanted import wanted

    run.announce(name)
    (_, domain), want = zone_of(run, zone), wanted(run.project)
    rules = [
        one
        for one in want.resources
        if one.kind == "ruleset_rule" and (one.key == name or one.key.startswith(f"{name}/"))
    ]
    targets = tuple(one.address for one in rules if one.spec.zone == domain)
    if not targets:
        there = {one.key.partition("/")[0] for one in want.resources if one.kind == "ruleset_rule"}
        known = f"This environment has: {', '.join(sorted(there))}. " if there else ""
        raise UsageError(
            "TB9061",
            f"trailboss.toml has no rules called '{name}' for the zone {domain}",
            hint=f'{known}Write them as [resources.ruleset_rule."{name}/first"] with phase, expression and '
            "action.",
        )
    done = carry_out(run, want, targets=targets, doing=f"ruleset deploy {name}")
    run.result(result_of(done), lambda output: show_applied(output, done))
