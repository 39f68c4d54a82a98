"""Rules for the suites over all kinds."""

from trailboss.resources.ruleset_rule import RulesetRule

BARE = RulesetRule(
    "example.com",
    "http_ratelimit",
    'http.request.uri.path eq "/login"',
    "block",
    ratelimit={
        "characteristics": ["ip.src"],
        "period": 60,
        "requests_per_period": 5,
        "mitigation_timeout": 60,
    },
)
FULL = RulesetRule(
    "example.com",
    "http_ratelimit",
    'starts_with(http.request.uri.path, "/login")',
    "managed_challenge",
    ratelimit={
        "characteristics": ["ip.src", 'http.request.headers["x-key"]'],
        "period": 120,
        "requests_per_period": 9,
        "counting_expression": "http.response.code eq 401",
    },
    enabled=False,
    description="not too often",
    position="first",
)
BEFORE: tuple[tuple[str, object], ...] = ()
