"""Expressions of rules: those of Cloudflare's documentation read, and mistakes shown where they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailboss.resources.expressions import LONGEST, problem

FINE = [
    "true",
    "ssl",
    "not ssl",
    "!ssl and (ssl or not ssl)",
    'http.host eq "www.example.com"',
    'http.host == "www.example.com" && ip.src != 192.0.2.1',
    'http.request.uri.path contains "/articles/"',
    'http.request.uri.path matches "^/a[0-9]+$"',
    r'http.request.uri.path ~ r"^/a\d+$" xor ssl ^^ ssl',
    'http.request.uri.path matches r#"a"b"#',
    'http.request.full_uri wildcard r"https://*.example.com/*"',
    'http.request.uri.path strict wildcard "/AdminTeam/*"',
    'ip.src.country in {"GB" "FR"} or ip.src.asnum in {13335 1..5}',
    "ip.src in {192.0.2.0/24 2001:db8::/32 198.51.100.1 10.0.0.1..10.0.0.9}",
    "ip.src in $office_network or ip.src in $cf.open_proxies",
    "ip.src eq 2001:db8::1",
    "cf.bot_management.score lt 30 and not cf.bot_management.verified_bot",
    'any(http.request.headers["x-forwarded-for"][*] contains "10.")',
    'any(lower(http.request.headers["accept"][*])[*] contains "json")',
    'http.request.headers["x-token"][0] eq "a\\"b\\\\c\\x41"',
    'all(http.request.headers["accept"][*] eq "a" )',
    'any(http.request.headers.names[*] == "x-a")',
    'len(http.request.headers["cookie"]) gt 1',
    'lower(http.host) eq "a" and starts_with(http.request.uri.path, "/api")',
    'has_key(http.request.headers, "authorization")',
    'is_timed_hmac_valid_v0("secret", http.request.uri, 100000, http.request.timestamp.sec, 8)',
    'concat("a", http.host, "b") eq "ab"',
    'lookup_json_string(http.request.body.raw, "user", "name") eq "x"',
    "cidr(ip.src, 24, 64) in {192.0.2.0/24}",
    'substring(http.request.uri.path, 0, 4) eq "/api"',
    "cf.tls_client_auth.cert_verified eq true",
    "cf.something.new eq 5",
    "a_new_function(http.host) eq 3",
    'http.cookie contains "x" and\n  not (http.user_agent contains "y"\n  or ssl)',
    "tcp.flags & 1",
    "len(http.host) gt 0x10",
    'cf.bot_management.ja5 eq "new"',
    'any(http.request.jwt.claims.aud["x"][*] eq "a")',
    "raw.http.response.code eq 500",
    "cf.timings.client_quic2_rtt_msec gt 5",
    'any(http.request.uri.args["a"][*] in {"x" "y"})',
    'not http.host in {"a"}',
]


@pytest.mark.parametrize("expression", FINE)
def test_what_can_be_read(expression: str) -> None:
    assert problem(expression) is None


WRONG = [
    ("", 1, "empty"),
    ("http.host eq shop.example.com", 14, 'double quotes: "shop.example.com"'),
    ('http.host = "a"', 11, "`eq` or `==`"),
    ('http.host eqq "a"', 11, "did you mean eq?"),
    ('http.hosts eq "a"', 1, "did you mean http.host?"),
    ('host eq "a"', 1, "no field 'host'"),
    ("http.host eq 'a'", 14, "double quotes"),
    ('http.host eq "a', 14, "not closed"),
    ('http.host eq "a\\d"', 16, "no escape"),
    ("http.host", 10, "operator with a value is missing"),
    ("http.host eq 5", 14, "a text was expected here, not a number"),
    ('ip.src eq "1.2.3.4"', 11, "an address was expected"),
    ("ip.src eq 10.0.0.0/8", 11, "in {10.0.0.0/8}"),
    ('ip.src contains "1"', 8, "does not compare an address"),
    ("ip.src.asnum in {1, 2}", 19, "without a comma"),
    ('ip.src.country in {"A" 1}', 24, "a text was expected here"),
    ("ip.src in {}", 13, "empty"),
    ("ip.src in {1.2.3.4", 19, "a } is missing"),
    ("ip.src in office", 11, "$name of a list"),
    ("(ssl", 5, "a ) is missing for the ( in column 1"),
    ("ssl)", 4, "closes nothing"),
    ("ssl ssl", 5, "no operator 'ssl'"),
    ("ssl and", 8, "a field was expected"),
    ('"a" eq http.host', 1, "stands on the right"),
    ("http.host eq http.host", 14, "left of an operator"),
    ('http.request.headers["x"] eq "a"', 1, "[0], or any("),
    ('http.request.headers["X-A"][0] eq "a"', 22, '"x-a"'),
    ('http.request.headers["x"][*] eq "a"', 1, "any(…)"),
    ('http.host["a"] eq "b"', 1, "no such index"),
    ('lowr(http.host) eq "a"', 1, "did you mean lower?"),
    ("starts_with(http.host)", 1, "takes 2 arguments, not 1"),
    ('any(lower(http.request.headers["a"][*]) eq "b")', 5, "any(…"),
    ("any(ssl)", 1, "a comparison with [*]"),
    ('http.host wildcard "**"', 20, "two *"),
    ('http.host strict eq "a"', 11, "before `wildcard`"),
    ("(" * 100, 60, "too deeply"),
    ("lower(" * 100, 60, "too deeply"),
    ("a" * (LONGEST + 1), 0, str(LONGEST)),
]


@pytest.mark.parametrize(("expression", "column", "text"), WRONG)
def test_what_is_wrong_and_where(expression: str, column: int, text: str) -> None:
    found = problem(expression) or ""
    assert text in found
    if column > 60:
        return
    if text == "too deeply" or not column:
        return
    assert f"column {column}:" in found
    assert found.splitlines()[-1] == " " * (3 + column) + "^"


def test_the_caret_is_on_the_line_of_the_mistake() -> None:
    assert problem("ssl\n  and http.host eq x") == (
        'line 2, column 20: a text stands in double quotes: "x"\n      and http.host eq x\n' + " " * 23 + "^"
    )
    long = " and ".join(["ssl"] * 100) + " and nothing"
    shown = (problem(long) or "").splitlines()
    assert shown[1][shown[2].index("^") :].startswith("nothing")
    assert len(shown[1]) < 80


@given(st.text(alphabet='abhttp.srcip "(){}[]*,$<>=!&|^~\\/0123456789\nx', max_size=60))
def test_nothing_breaks_the_reader(expression: str) -> None:
    found = problem(expression)
    assert found is None or found


@given(st.sampled_from(FINE), st.sampled_from(FINE), st.sampled_from(["and", "||", "xor"]))
def test_fine_expressions_can_be_joined(one: str, other: str, joint: str) -> None:
    assert problem(f"({one}) {joint} not ({other})") is None
