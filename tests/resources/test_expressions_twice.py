"""One table of expressions, through both readers: that of resources, and the emulated account's own.

They share no code, so that a wrong belief does not pass on both sides; this table is where they meet. What is
right comes from Cloudflare's documentation of the Rules language and its open-source engine, wirefilter.
"""

from __future__ import annotations

import pytest

from trailboss.resources.expressions import problem
from trailboss.sandbox.products.expression import ExpressionError, check_filter

HOST = "http.host"
PATH = "http.request.uri.path"
HEADERS = "http.request.headers"

VALID = [
    # operators, in words and in signs
    *(f'{HOST} {sign} "a.example.com"' for sign in ("eq", "==", "ne", "!=", "contains", "matches", "~")),
    *(f"cf.threat_score {sign} 5" for sign in ("lt", "<", "le", "<=", "gt", ">", "ge", ">=", "eq", "!=")),
    f'{PATH} wildcard "/a/*"',
    f'{PATH} strict wildcard "/A/*"',
    f'{PATH} lt "/m"',
    "http.request.timestamp.sec & 1",
    "http.request.timestamp.sec bitwise_and 0x10",
    f'{HOST} eq"a"',
    f'{HOST}=="a"and ssl',
    # how they join
    "ssl and ssl or ssl xor ssl",
    "ssl && ssl || ssl ^^ ssl",
    "not ssl",
    "!ssl",
    "! ssl",
    "not not ssl",
    "!(not (ssl))",
    "not(ssl)",
    "((((ssl))))",
    "(ssl or (ssl and (ssl xor ssl)))",
    " \r\n ssl \n and\n\n ssl ",
    "true",
    # texts
    rf'{HOST} eq "a\"b\\c\x41\101\007"',
    f'{HOST} eq "two\nlines"',
    f'{HOST} eq ""',
    f'{HOST} eq "ünï"',
    f'{HOST} eq r"a\\d"',
    f'{HOST} eq r#"a"b"#',
    f'{HOST} eq r##"a"#b"##',
    f'{HOST} eq r""',
    f'{HOST} eq r"a"',
    f"{HOST} eq 61:62:63",
    f"{HOST} eq 61-62",
    # patterns: a quoted one keeps its backslashes
    rf'{PATH} matches "/autodiscover\.(xml|src)$"',
    rf'{PATH} ~ "^/\d+\s[a-z\]]"',
    rf'{PATH} matches "a\"b"',
    rf'{PATH} matches "[^\"]"',
    f'{PATH} matches "[\\"x]+y"',
    rf'{PATH} matches r"^/a\d+$"',
    rf'{PATH} matches r#"^"a"$"#',
    rf'{PATH} wildcard r"/a\*b"',
    r'http.request.uri.path wildcard "/a\\*b"',
    # sets, ranges, addresses
    f'{HOST} in {{"a" "b"}}',
    f'{HOST} in {{ "a"\n"b" }}',
    f'{HOST} in {{"a""b"}}',
    f'{HOST} in {{r"a" "b"}}',
    f"{HOST} in $hosts",
    "ip.src in $office_1",
    "ip.src in $cf.open_proxies",
    "not ip.src in $office",
    "cf.edge.server_port in {80 443}",
    "cf.edge.server_port in {8000..8009 443 1..1}",
    "cf.threat_score in {-5..5}",
    "ip.src in {192.0.2.1 198.51.100.0/24}",
    "ip.src in {10.0.0.1..10.0.0.9}",
    "ip.src in {2001:db8::/32 2001:db8::1..2001:db8::f ::1}",
    "ip.src eq 192.0.2.1",
    "ip.src ne 2001:db8::1",
    "ip.src.asnum in {13335}",
    # numbers
    "cf.threat_score eq 0",
    "cf.threat_score eq 010",
    "cf.threat_score eq 0xFf",
    "cf.threat_score gt -1",
    # maps, lists, functions
    f'{HEADERS}["x-a"][0] eq "b"',
    f'{HEADERS}[ "x-a" ][ 0 ] eq "b"',
    f'any({HEADERS}["x-a"][*] eq "b")',
    f'all({HEADERS}["x-a"][*] in {{"b" "c"}})',
    f'any({HEADERS}.names[*] contains "x")',
    f'any(lower({HEADERS}["accept"][*])[*] contains "json")',
    f'any(len({HEADERS}["a"][*])[*] gt 5)',
    f'any(starts_with({HEADERS}["a"][*], "b"))',
    f'not any({HEADERS}["x-a"][*] eq "b") and ssl',
    f'any(not {HEADERS}["a"][*] eq "b")',
    f'any(({HEADERS}["a"][*] eq "b" or not {HEADERS}["a"][*] eq "c"))',
    rf'{PATH} matches "\p{{Greek}}\pL\x{{41}}(?<name>[[:alpha:]])\z"',
    rf'{PATH} matches "(?i)a|(?:b)\\1"',
    f'lower({HOST}) eq "a"',
    f'lower( {HOST} ) eq "a"',
    f'lower ({HOST}) eq "a"',
    f'lower(upper({HOST})) eq "a"',
    f'starts_with({PATH}, "/a") and ends_with({PATH}, r".js")',
    f'concat({HOST}, "/", {PATH}) eq "a/b"',
    f"len({HOST}) in {{1..5}}",
    f'has_key({HEADERS}, "x-a")',
    'lookup_json_string(http.request.body.raw, "a", 0, "b") eq "c"',
    f'substring({PATH}, 0, -1) eq "a"',
    "cidr(ip.src, 24, 64) eq 192.0.2.0",
    f'any(split({PATH}, "/", 5)[*] eq "a")',
    f'{HOST} eq "{"a" * (4096 - len(HOST) - 6)}"',
]

INVALID = [
    "",
    "  ",
    # no comments, no tabs, no other signs
    "ssl # over TLS",
    "ssl // over TLS",
    "/* a */ ssl",
    "ssl\tand ssl",
    f'{HOST} = "a"',
    f'{HOST} === "a"',
    f'{HOST} <> "a"',
    f'{HOST} like "a"',
    f'{HOST} is "a"',
    f'{HOST} EQ "a"',
    f'{HOST} strict  wildcard "a"',
    f'{HOST} strict eq "a"',
    "ssl & ssl",
    f'{HOST} & "a"',
    f"{HOST} bitwise_and 1",
    # brackets and joints
    "(ssl",
    "ssl)",
    "()",
    "ssl and",
    "and ssl",
    "ssl ssl",
    "ssl and or ssl",
    "not",
    f"not {HOST}",
    f"{HOST} and ssl",
    HOST,
    "cf.threat_score",
    # texts
    f'{HOST} eq "a',
    f"{HOST} eq 'a'",
    f"{HOST} eq a",
    rf'{HOST} eq "a\nb"',
    rf'{HOST} eq "a\d"',
    rf'{HOST} eq "a\x4"',
    rf'{HOST} eq "a\400"',
    rf'{HOST} eq "a\8"',
    rf'{PATH} wildcard "/a\*b"',
    f'{HOST} eq r#"a"',
    f'{HOST} eq "a" "b"',
    f"{HOST} eq 5",
    f"{HOST} eq {HOST}",
    f'"a" eq {HOST}',
    f"{HOST} eq 61",
    f"{HOST} eq 6:62",
    # patterns
    f'{PATH} matches "("',
    f'{PATH} matches "[a"',
    f'{PATH} matches "(?=a)"',
    f'{PATH} matches "*"',
    rf'{PATH} matches "(a)\1"',
    f'{PATH} matches r"(?<!a)b"',
    f"{PATH} matches 61:62",
    f'{PATH} wildcard "/**"',
    f'{PATH} strict wildcard "a**b"',
    f'{PATH} wildcard {{"a"}}',
    # sets, ranges, addresses
    f'{HOST} in {{"a", "b"}}',
    f'{HOST} in ("a" "b")',
    f'{HOST} in ["a"]',
    f'{HOST} in {{"a"',
    f'{HOST} in "a"',
    f'{HOST} in {{"a".."b"}}',
    f"{HOST} in $",
    f"{HOST} in $Hosts",
    f"{HOST} in $my-hosts",
    f"{HOST} in $hosts.",
    f"{HOST} in $.hosts",
    f"{HOST} eq $hosts",
    "cf.edge.server_port in {443..80}",
    "cf.edge.server_port in {80 .. 90}",
    "cf.edge.server_port in {80.. 90}",
    "cf.edge.server_port in {80 ..90}",
    "cf.edge.server_port in {80..}",
    'cf.edge.server_port in {"80"}',
    'cf.edge.server_port eq "80"',
    "cf.edge.server_port eq 80..90",
    "cf.edge.server_port contains 80",
    "ip.src eq 192.0.2.0/24",
    "ip.src eq 192.0.2.1..192.0.2.9",
    'ip.src eq "192.0.2.1"',
    "ip.src in {192.0.2.1/24}",
    "ip.src in {2001:db8::1/32}",
    "ip.src in {192.0.2.0/33}",
    "ip.src in {192.0.2.256}",
    "ip.src in {192.0.2}",
    "ip.src in {10.0.0.9..10.0.0.1}",
    "ip.src in {10.0.0.1..::1}",
    "ip.src in {10.0.0.0/24..10.0.1.0}",
    "ip.src in {10.0.0.1 .. 10.0.0.9}",
    "ip.src contains 192.0.2.1",
    # numbers
    "cf.threat_score eq 08",
    "cf.threat_score eq 0x",
    "cf.threat_score eq -0x1",
    "cf.threat_score eq 1.5",
    "cf.threat_score eq 1e3",
    "cf.threat_score eq 9223372036854775808",
    "cf.threat_score eq true",
    # maps, lists, functions
    f'{HEADERS} eq "a"',
    f'{HEADERS}["a"] eq "b"',
    f'{HEADERS}["a"][*] eq "b"',
    f'{HEADERS}[0] eq "b"',
    f'{HEADERS} ["a"][0] eq "b"',
    f'{HEADERS}["a"]["b"] eq "c"',
    f'{HEADERS}["a"][-1] eq "b"',
    f"{HEADERS}['a'][0] eq \"b\"",
    f'{HEADERS}.names["a"] eq "b"',
    f'{HOST}[0] eq "a"',
    f'any({HOST} eq "a")',
    f'any({HEADERS}["a"] eq "b")',
    f'any({HEADERS}["a"][*])',
    "any(ssl)",
    "any()",
    f'any({HEADERS}["a"][*] eq "b" or {HEADERS}["a"][*] eq "c")',
    f'any(({HEADERS}["a"][*] eq "b" or ssl))',
    f'any({HEADERS}["a"][*] eq "b", {HEADERS}["a"][*] eq "c")',
    f'any(concat("a", {HEADERS}["a"][*])[*] eq "b")',
    f'lower({HOST} eq "a"',
    f'lower({HOST},) eq "a"',
    f'lower(,{HOST}) eq "a"',
    'lower() eq "a"',
    f'lower({HOST}, {HOST}) eq "a"',
    f"lower({HOST})",
    f"lower({HOST}) eq 5",
    f"starts_with({PATH}) and ssl",
    f'starts_with({PATH}, "a") eq "b"',
    f'len({HOST}) eq "5"',
    f'lowr({HOST}) eq "a"',
    'http.hots eq "a"',
    'http.request.uri.pat eq "a"',
    f'{HOST} eq "{"a" * 4096}"',
]

STRICTER = [
    # never true: the account takes it, a plan says so before
    f"{HOST} in {{}}",
    # the documentation has names of headers in lower case, and no order of addresses
    f'{HEADERS}["X-A"][0] eq "b"',
    "ip.src lt 192.0.2.1",
]
"""What resources refuse and the account does not."""

LOOSER = [
    # fields and functions come to Cloudflare's language all the time
    'http.request.something_new eq "a"',
    "a_new_function(ssl)",
    # what functions take is the account's business; how many values they take is not
    'lower(5) eq "a"',
    'lower(ssl) eq "a"',
]
"""What the account refuses and resources do not."""


def account(expression: str) -> str | None:
    """What the emulated account says."""
    try:
        check_filter(expression)
    except ExpressionError as error:
        return str(error)
    return None


@pytest.mark.parametrize("expression", VALID)
def test_both_take(expression: str) -> None:
    assert (problem(expression), account(expression)) == (None, None)


@pytest.mark.parametrize("expression", INVALID)
def test_both_refuse(expression: str) -> None:
    assert problem(expression) and account(expression)


@pytest.mark.parametrize("expression", STRICTER)
def test_resources_are_stricter(expression: str) -> None:
    assert problem(expression) and account(expression) is None


@pytest.mark.parametrize("expression", LOOSER)
def test_the_account_is_stricter(expression: str) -> None:
    assert problem(expression) is None and account(expression)
