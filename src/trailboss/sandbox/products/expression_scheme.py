"""The fields and functions of Cloudflare's Rules language, with their types.

Source: https://developers.cloudflare.com/ruleset-engine/rules-language/fields/reference/ and .../functions/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

NAMES = {"bytes": "Bytes", "int": "Int", "ip": "Ip", "bool": "Bool"}


@dataclass(frozen=True, slots=True)
class Type:
    """`base` inside containers (`shape`: "a" an array, "m" a map, outermost first), of which the outermost
    may have been unfolded by `[*]` (`each`)."""

    base: str
    shape: str = ""
    each: bool = False

    def __str__(self) -> str:
        text = NAMES[self.base]
        for container in reversed(self.shape):
            text = f"{'Array' if container == 'a' else 'Map'}({text})"
        return text

    def inner(self) -> Type:
        """What one step of indexing leads to."""
        return replace(self, shape=self.shape[1:])


BYTES, INT, IP, BOOL = Type("bytes"), Type("int"), Type("ip"), Type("bool")
TEXTS = Type("bytes", "a")

_BYTES = """
cf.api_gateway.auth_id_present cf.bot_management.ja3_hash cf.bot_management.ja4 cf.edge.client_port_name
cf.fraud.email_risk cf.hostname.metadata cf.ray_id cf.random_seed cf.tls_cipher cf.tls_ciphers_sha1
cf.tls_client_ciphers_sha1 cf.tls_client_extensions_sha1 cf.tls_client_extensions_sha1_le cf.tls_client_random
cf.tls_version cf.verified_bot_category cf.worker.upstream_zone cf.zone.name cf.zone.plan cf.metal.id
cf.response.error_type cf.tls_client_auth.cert_fingerprint_sha1 cf.tls_client_auth.cert_fingerprint_sha256
cf.tls_client_auth.cert_issuer_dn cf.tls_client_auth.cert_issuer_dn_legacy cf.tls_client_auth.cert_issuer_ski
cf.tls_client_auth.cert_issuer_dn_rfc2253 cf.tls_client_auth.cert_issuer_serial cf.tls_client_auth.cert_ski
cf.tls_client_auth.cert_not_after cf.tls_client_auth.cert_not_before cf.tls_client_auth.cert_serial
cf.tls_client_auth.cert_subject_dn cf.tls_client_auth.cert_subject_dn_legacy cf.unique_visitor_id
cf.tls_client_auth.cert_subject_dn_rfc2253 cf.tls_client_auth.cert_rfc9440 cf.waf.credential_check.type
cf.tls_client_auth.cert_chain_rfc9440 cf.colo.name cf.colo.region http.cookie http.host http.referer
http.request.body.mime http.request.body.raw http.request.full_uri http.request.method http.request.uri
http.request.uri.path http.request.uri.path.extension http.request.uri.query http.request.version
http.response.content_type.media_type http.user_agent http.x_forwarded_for ip.geoip.city ip.geoip.continent
ip.geoip.country ip.geoip.region ip.geoip.region_code ip.geoip.subdivision_1_iso_code
ip.geoip.subdivision_2_iso_code ip.src.city ip.src.continent ip.src.country ip.src.lat ip.src.lon
ip.src.metro_code ip.src.postal_code ip.src.region ip.src.region_code ip.src.subdivision_1_iso_code
ip.src.subdivision_2_iso_code ip.src.timezone.name raw.http.request.full_uri raw.http.request.uri
raw.http.request.uri.path raw.http.request.uri.path.extension raw.http.request.uri.query
raw.http.response.content_type.media_type
"""
_INTS = """
cf.bot_management.score cf.bot_detection.js_check_score cf.client_trust_score cf.colo.id cf.edge.client_port
cf.edge.server_port cf.edge.l4.delivery_rate cf.response.1xxx_code cf.threat_score cf.tls_client_hello_length
cf.timings.client_quic_rtt_msec cf.timings.client_tcp_rtt_msec cf.timings.edge_msec
cf.timings.origin_ttfb_msec cf.timings.worker_msec cf.waf.score cf.waf.score.rce cf.waf.score.sqli
cf.waf.score.xss cf.waf.content_scan.num_malicious_obj cf.waf.content_scan.num_obj cf.llm.prompt.token_count
cf.llm.prompt.injection_score http.request.body.size http.request.timestamp.msec http.request.timestamp.sec
http.response.code ip.geoip.asnum ip.src.asnum raw.http.response.code
"""
_BOOLS = """
cf.bot_management.corporate_proxy cf.bot_management.js_detection.passed cf.bot_management.static_resource
cf.bot_management.verified_bot cf.client.bot cf.edge.client_tcp cf.llm.prompt.detected
cf.llm.prompt.pii_detected cf.llm.prompt.unsafe_topic_detected cf.api_gateway.fallthrough_detected
cf.api_gateway.request_violates_schema cf.tls_client_auth.cert_presented cf.tls_client_auth.cert_revoked
cf.tls_client_auth.cert_verified cf.waf.auth_detected cf.waf.content_scan.has_failed
cf.waf.content_scan.has_malicious_obj cf.waf.content_scan.has_obj cf.waf.credential_check.username_leaked
cf.waf.credential_check.password_leaked cf.waf.credential_check.username_and_password_leaked
cf.waf.credential_check.username_password_similar http.request.body.truncated http.request.headers.truncated
http.response.headers.truncated ip.geoip.is_in_european_union ip.src.is_in_european_union ssl
raw.http.request.headers.truncated
"""
_CLAIMS = "aud exp.sec iat.sec iss jti nbf.sec sub"


def _of(names: str, kind: Type) -> dict[str, Type]:
    return dict.fromkeys(names.split(), kind)


def _headers(*prefixes: str) -> dict[str, Type]:
    found: dict[str, Type] = {}
    for prefix in prefixes:
        found |= {prefix: Type("bytes", "ma"), f"{prefix}.names": TEXTS, f"{prefix}.values": TEXTS}
    return found


def _claims() -> dict[str, Type]:
    found: dict[str, Type] = {}
    for claim in _CLAIMS.split():
        base = "int" if claim.endswith(".sec") else "bytes"
        name = f"http.request.jwt.claims.{claim}"
        found |= {name: Type(base, "ma"), f"{name}.names": TEXTS, f"{name}.values": Type(base, "a")}
    return found


FIELDS: dict[str, Type] = {
    **_of(_BYTES, BYTES),
    **_of(_INTS, INT),
    **_of(_BOOLS, BOOL),
    **_of("ip.src cf.edge.server_ip", IP),
    **_headers(
        "http.request.headers",
        "http.response.headers",
        "raw.http.request.headers",
        "raw.http.response.headers",
        "http.request.cookies",
        "http.request.uri.args",
        "raw.http.request.uri.args",
        "http.request.body.form",
    ),
    **_claims(),
    **_of("http.request.accepted_languages http.request.body.multipart.names", TEXTS),
    **_of("cf.waf.content_scan.obj_results cf.waf.content_scan.obj_types", TEXTS),
    **_of("cf.llm.prompt.pii_categories cf.llm.prompt.unsafe_topic_categories", TEXTS),
    **_of("cf.bot_management.detection_ids cf.waf.content_scan.obj_sizes", Type("int", "a")),
    **_of("http.request.body.multipart", Type("bytes", "ma")),
    **_of("cf.bot_management.ja4Signals", Type("int", "m")),
}


ONLY_IN: dict[str, Mapping[str, Type]] = {"load_balancing": _of("dns.qry.type", INT)}
"""Phase -> the fields that it alone has."""


@dataclass(frozen=True, slots=True)
class Function:
    """Parameter kinds ("bytes", "int", "ip", "bool", "list", "field" or "any"), of which `needed` must be
    given and the last may repeat (`more`); what it returns ("same": what the first argument holds)."""

    parameters: tuple[str, ...]
    returns: str
    needed: int
    more: bool = False


def _function(parameters: str, returns: str, needed: int | None = None, *, more: bool = False) -> Function:
    names = tuple(parameters.split())
    return Function(names, returns, len(names) if needed is None else needed, more)


FUNCTIONS: dict[str, Function] = {
    **dict.fromkeys(("any", "all"), _function("list", "bool")),
    **dict.fromkeys(
        ("lower", "upper", "trim", "md5", "sha256", "decode_base64"), _function("bytes", "bytes")
    ),
    **dict.fromkeys(("url_decode", "encode_base64"), _function("bytes bytes", "bytes", 1)),
    **dict.fromkeys(("starts_with", "ends_with"), _function("bytes bytes", "bool")),
    "bit_slice": _function("bytes int int", "int"),
    "cidr": _function("ip int int", "ip", 2),
    "cidr6": _function("ip int", "ip"),
    "concat": _function("any", "bytes", 1, more=True),
    "has_key": _function("list bytes", "bool"),
    "has_value": _function("list any", "bool"),
    "is_timed_hmac_valid_v0": _function("bytes bytes int int int bytes", "bool", 4),
    "join": _function("list bytes", "bytes"),
    "len": _function("any", "int"),
    "lookup_json_integer": _function("bytes any", "int", 2, more=True),
    "lookup_json_string": _function("bytes any", "bytes", 2, more=True),
    "remove_bytes": _function("bytes bytes", "bytes"),
    "regex_replace": _function("bytes bytes bytes", "bytes"),
    "remove_query_args": _function("field bytes", "bytes", 2, more=True),
    "split": _function("bytes bytes int", "texts"),
    "substring": _function("bytes int int", "bytes", 2),
    "to_string": _function("any", "bytes"),
    "uuidv4": _function("bytes", "bytes"),
    "wildcard_replace": _function("bytes bytes bytes bytes", "bytes", 3),
}
ONLY_IN_TRANSFORMS = frozenset({"regex_replace", "uuidv4", "wildcard_replace"})
