"""The small rule books: DNS records and zone files, tags, SQL scripts, stand-in models."""

import math

import pytest

from trailboss.sandbox.products import dns_rules, embeddings, sql_script, tag_rules, text_model


def _record(**fields):
    return dns_rules.checked({"type": "A", "name": "www", "content": "192.0.2.1", **fields}, "example.com")


def test_a_mail_server_that_is_none_and_a_place_on_earth() -> None:
    assert _record(type="MX", content=".", priority=0)["content"] == "."
    place = {"lat_degrees": "37", "lat_minutes": 46, "lat_seconds": 46, "lat_direction": "N", "size": 100}
    place |= {"long_degrees": 122, "long_minutes": 23, "long_seconds": 35.5, "long_direction": "W"}
    record = _record(type="LOC", content=None, data=place)
    assert record["content"] == "37 46 46.000 N 122 23 35.500 W 0.00 100.00 0.00 0.00"


def test_a_record_is_completed():
    record = _record(proxied=True, ttl=300, tags=["b:2", "a:1"])
    assert record["name"] == "www.example.com"
    assert (record["ttl"], record["proxiable"], record["tags"]) == (1, True, ["a:1", "b:2"])
    assert _record(name="@")["name"] == "example.com"
    srv = {"weight": 5, "port": 443, "target": "x.example.com", "priority": 1}
    assert _record(type="SRV", content=None, data=srv)["content"] == "5 443 x.example.com"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"type": "NOPE"}, 9004),
        ({"name": " "}, 9000),
        ({"content": "::1"}, 9005),
        ({"type": "TXT", "content": ""}, 9005),
        ({"ttl": 30}, 9021),
        ({"ttl": "x"}, 9207),
        ({"type": "TXT", "content": "x", "proxied": True}, 9004),
        ({"type": "MX", "content": "mail.example.com"}, 9100),
        ({"comment": "x" * 501}, 9211),
    ],
)
def test_a_wrong_record_is_refused(fields, code):
    with pytest.raises(dns_rules.DnsError) as caught:
        _record(**fields)
    assert caught.value.code == code


def test_conflicts():
    address, alias = _record(), _record(type="CNAME", content="x.example.com")
    text = _record(type="TXT", content="x")
    dns_rules.check_conflict(_record(content="192.0.2.2"), [address, text])
    for record, others, code in [
        (address, [address], 81058),
        (alias, [address], 81053),
        (address, [alias], 81053),
        (_record(type="CNAME", content="y.example.com"), [alias], 81053),
        (text, [alias], 81054),
    ]:
        with pytest.raises(dns_rules.DnsError) as caught:
            dns_rules.check_conflict(record, others)
        assert caught.value.code == code


def test_a_zone_file_there_and_back():
    records = [
        _record(comment="front door"),
        _record(type="TXT", name="@", content="v=spf1 -all; x"),
        _record(type="MX", name="@", content="mail.example.com", priority=10),
        _record(type="CNAME", name="docs", content="pages.dev"),
    ]
    parsed = dns_rules.parse_bind(dns_rules.bind_file("example.com", records), "example.com")
    again = [dns_rules.checked(record, "example.com") for record in parsed]
    keys = ("name", "type", "content", "ttl", "priority")
    assert [[one.get(key) for key in keys] for one in again] == [
        [one.get(key) for key in keys] for one in records
    ]
    with pytest.raises(dns_rules.DnsError):
        dns_rules.parse_bind("www IN WHAT 1", "example.com")
    relative = dns_rules.parse_bind("$TTL 600\nwww IN A 192.0.2.9\n  IN AAAA ::1\n", "example.com")
    assert [(one["name"], one["type"], one["ttl"]) for one in relative] == [
        ("www.example.com", "A", 600),
        ("www.example.com", "AAAA", 600),
    ]


def test_tag_etags_and_conditions():
    assert tag_rules.etag({"b": "2", "a": "1"}) == tag_rules.etag({"a": "1", "b": "2"})
    assert tag_rules.etag({}).startswith("v1:")
    assert tag_rules.etag({"a": "1"}) != tag_rules.etag({"a": "2"})
    tags = {"env": "prod", "team": "Web"}
    for condition, holds in [
        ("env", True),
        ("env=prod,staging", True),
        ("env=dev", False),
        ("!env", False),
        ("!gone", True),
        ("env!=prod", False),
        ("env!=dev", True),
        ("team=web", False),
    ]:
        assert tag_rules.satisfies(tags, condition, fold=False) is holds, condition
    assert tag_rules.satisfies(tags, "TEAM=web", fold=True)
    assert tag_rules.problem({"a": "x"}) is None
    for bad in ([], {"": "x"}, {"a": 1}, {"a": "x" * 1025}):
        assert tag_rules.problem(bad)


def test_scripts_are_cut_where_statements_end():
    script = """
    -- a comment; not a statement
    create table "t;1" (a text default 'x;''y'); /* ; */
    create trigger tr after insert on t begin insert into t values (1); select 2; end;
    insert into t values (';')
    """
    cut = list(sql_script.statements(script))
    assert [one.split()[0:2] for one in cut] == [
        ["create", "table"],
        ["create", "trigger"],
        ["insert", "into"],
    ]
    assert cut[1].endswith("end")
    assert list(sql_script.statements(" ; -- nothing")) == []
    assert sql_script.opens_transaction(" BEGIN TRANSACTION")
    assert not sql_script.opens_transaction("insert into begin_log values (1)")


def test_similar_texts_are_near():
    def near(one, other):
        return sum(
            a * b for a, b in zip(embeddings.embed(one, 768), embeddings.embed(other, 768), strict=True)
        )

    question = "How do I roll back a deployment?"
    assert near(question, "Rolling back deployments: choose an older version") > 0.3
    assert near(question, "The cafeteria serves lentil soup on Tuesday") < 0.15
    assert math.isclose(near(question, question), 1.0)
    assert embeddings.embed("!!", 4) == [0.0] * 4


def test_the_stand_in_answers_from_its_context():
    body = {
        "messages": [
            {"role": "system", "content": "Cats purr. Trailboss rolls back versions in a second."},
            {"role": "user", "content": "How fast does it roll back a version?"},
        ]
    }
    text = text_model.answer(body)
    assert text.startswith(text_model.LABEL)
    assert "in a second" in text
    assert "purr" not in text
    assert "".join(text_model.pieces(text)) == text
    assert text_model.usage(body, text)["total_tokens"] > 10
    assert text_model.answer({"prompt": "hi"}) == f"{text_model.LABEL} You said: hi"
