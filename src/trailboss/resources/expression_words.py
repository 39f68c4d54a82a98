"""The fields and functions that expressions of rules may name, with their types: data only.

Types: `string`, `int`, `ip`, `bool`, `list:<type>`, `map:<type>`, and `any` where nothing is checked.
Cloudflare adds to these, so what is not here is refused only when it looks like a misspelling.
https://developers.cloudflare.com/ruleset-engine/rules-language/
"""

from __future__ import annotations

ROOTS = frozenset({"http", "ip", "cf", "ssl", "raw", "tcp", "udp", "icmp", "geoip", "sip", "dns"})

_STRINGS = """
http.host http.cookie http.referer http.user_agent http.x_forwarded_for http.request.method
http.request.version http.request.full_uri http.request.uri http.request.uri.path
http.request.uri.path.extension http.request.uri.query http.request.body.mime http.request.body.raw
http.request.accepted_languages.raw http.response.content_type.media_type
raw.http.request.full_uri raw.http.request.uri raw.http.request.uri.path
raw.http.request.uri.path.extension raw.http.request.uri.query
ip.src.country ip.src.continent ip.src.city ip.src.region ip.src.region_code ip.src.metro_code
ip.src.postal_code ip.src.subdivision_1_iso_code ip.src.subdivision_2_iso_code
ip.src.timezone.name ip.src.lat ip.src.lon ip.src.as_name
ip.geoip.country ip.geoip.continent ip.geoip.subdivision_1_iso_code ip.geoip.subdivision_2_iso_code
cf.bot_management.ja3_hash cf.bot_management.ja4 cf.colo.name cf.colo.region cf.edge.client_tcp
cf.hostname.metadata cf.ray_id cf.random_seed cf.verified_bot_category cf.worker.upstream_zone
cf.response.error_type cf.tls_cipher cf.tls_version cf.tls_client_random cf.tls_client_ciphers_sha1
raw.http.response.content_type.media_type cf.tls_client_auth.cert_chain_rfc9440
cf.tls_client_extensions_sha1 cf.tls_client_extensions_sha1_le cf.zone.name cf.zone.plan
cf.tls_client_auth.cert_fingerprint_sha1 cf.tls_client_auth.cert_fingerprint_sha256
cf.tls_client_auth.cert_issuer_dn cf.tls_client_auth.cert_issuer_dn_legacy
cf.tls_client_auth.cert_issuer_dn_rfc2253 cf.tls_client_auth.cert_issuer_serial
cf.tls_client_auth.cert_issuer_ski cf.tls_client_auth.cert_not_after cf.tls_client_auth.cert_not_before
cf.tls_client_auth.cert_serial cf.tls_client_auth.cert_ski cf.tls_client_auth.cert_subject_dn
cf.tls_client_auth.cert_subject_dn_legacy cf.tls_client_auth.cert_subject_dn_rfc2253
cf.tls_client_auth.cert_rfc9440 cf.waf.content_scan.has_failed_reason cf.api_gateway.auth_id
"""
_NUMBERS = """
http.request.timestamp.sec http.request.timestamp.msec http.request.body.size http.response.code
http.response.1xxx_code ip.src.asnum ip.geoip.asnum cf.threat_score cf.bot_management.score cf.colo.id
cf.edge.server_port cf.waf.score cf.waf.score.sqli cf.waf.score.xss cf.waf.score.rce
cf.waf.content_scan.num_malicious_obj cf.waf.content_scan.num_obj cf.response.1xxx_code
cf.timings.client_tcp_rtt_msec cf.timings.client_quic_rtt_msec cf.timings.worker_msec cf.timings.edge_msec
cf.tls_client_hello_length raw.http.response.code cf.edge.client_port cf.timings.origin_ttfb_msec
cf.llm.prompt.injection_score
"""
_FLAGS = """
ssl http.request.headers.truncated http.request.body.truncated http.response.headers.truncated
ip.src.is_in_european_union ip.geoip.is_in_european_union cf.client.bot
cf.bot_management.verified_bot cf.bot_management.static_resource cf.bot_management.corporate_proxy
cf.bot_management.js_detection.passed cf.tls_client_auth.cert_presented cf.tls_client_auth.cert_revoked
cf.tls_client_auth.cert_verified cf.tls_client_auth.cert_rfc9440_too_large
cf.tls_client_auth.cert_chain_rfc9440_too_large cf.waf.content_scan.has_malicious_obj
cf.waf.content_scan.has_obj cf.waf.content_scan.has_failed cf.waf.auth_detected
cf.waf.credential_check.password_leaked cf.waf.credential_check.username_leaked
cf.waf.credential_check.username_and_password_leaked cf.waf.credential_check.username_password_similar
cf.api_gateway.auth_id_present cf.api_gateway.fallthrough_detected
cf.api_gateway.request_violates_schema cf.llm.prompt.detected cf.llm.prompt.pii_detected
"""
_LISTS = """
http.request.headers.names http.request.headers.values http.request.uri.args.names
http.request.uri.args.values http.request.accepted_languages http.request.body.form.names
http.request.body.form.values http.response.headers.names http.response.headers.values
raw.http.request.uri.args.names raw.http.request.uri.args.values http.request.cookies.names
http.request.cookies.values raw.http.request.headers.names raw.http.request.headers.values
raw.http.response.headers.names raw.http.response.headers.values http.request.body.multipart.names
http.request.body.multipart.values
cf.bot_management.detection_ids cf.waf.content_scan.obj_types cf.waf.content_scan.obj_results
cf.llm.prompt.pii_categories
"""
_MAPS = """
http.request.headers http.request.cookies http.request.uri.args http.request.body.form
http.response.headers raw.http.request.uri.args raw.http.response.headers raw.http.request.headers
http.request.body.multipart http.request.jwt.claims.aud http.request.jwt.claims.iss
http.request.jwt.claims.jti http.request.jwt.claims.sub
"""
FIELDS: dict[str, str] = {
    **dict.fromkeys(_STRINGS.split(), "string"),
    **dict.fromkeys(_NUMBERS.split(), "int"),
    **dict.fromkeys(_FLAGS.split(), "bool"),
    **dict.fromkeys(_LISTS.split(), "list:string"),
    **dict.fromkeys(_MAPS.split(), "map:list:string"),
    "cf.bot_management.detection_ids": "list:int",
    "cf.waf.content_scan.obj_sizes": "list:int",
    "cf.hostname.metadata": "any",
    "cf.unique_visitor_id": "any",
    "cf.edge.server_ip": "ip",
    "cf.edge.client_tcp": "any",
    "ip.src": "ip",
    "ip.dst": "ip",
}

FUNCTIONS: dict[str, tuple[int, int, str]] = {
    "all": (1, 1, "bool"),
    "any": (1, 1, "bool"),
    "bit_slice": (3, 3, "int"),
    "cidr": (3, 3, "ip"),
    "cidr6": (2, 2, "ip"),
    "concat": (1, 99, "any"),
    "decode_base64": (1, 1, "string"),
    "encode_base64": (1, 2, "string"),
    "ends_with": (2, 2, "bool"),
    "has_key": (2, 2, "bool"),
    "has_value": (2, 2, "bool"),
    "is_timed_hmac_valid_v0": (4, 6, "bool"),
    "join": (2, 2, "string"),
    "len": (1, 1, "int"),
    "lookup_json_integer": (2, 99, "int"),
    "lookup_json_string": (2, 99, "string"),
    "lower": (1, 1, "string"),
    "regex_replace": (3, 3, "string"),
    "remove_bytes": (2, 2, "string"),
    "remove_query_args": (2, 99, "string"),
    "sha256": (1, 1, "string"),
    "split": (3, 3, "list:string"),
    "starts_with": (2, 2, "bool"),
    "substring": (2, 3, "string"),
    "to_string": (1, 1, "string"),
    "upper": (1, 1, "string"),
    "url_decode": (1, 2, "string"),
    "uuidv4": (1, 1, "string"),
    "wildcard_replace": (3, 4, "string"),
}
"""Name -> the least and the most arguments, and what comes out."""

OPERATORS: dict[str, str] = {
    **dict.fromkeys(("eq", "=="), "eq"),
    **dict.fromkeys(("ne", "!="), "ne"),
    **dict.fromkeys(("lt", "<"), "lt"),
    **dict.fromkeys(("le", "<="), "le"),
    **dict.fromkeys(("gt", ">"), "gt"),
    **dict.fromkeys(("ge", ">="), "ge"),
    **dict.fromkeys(("matches", "~"), "matches"),
    **dict.fromkeys(("bitwise_and", "&"), "bitwise_and"),
    **{word: word for word in ("contains", "wildcard", "strict wildcard", "in")},
}
"""Every spelling of an operator -> its name."""

TAKES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("eq", "ne"), ("string", "int", "ip", "bool")),
    **dict.fromkeys(("lt", "le", "gt", "ge"), ("string", "int")),
    **dict.fromkeys(("contains", "matches", "wildcard", "strict wildcard"), ("string",)),
    "in": ("string", "int", "ip"),
    "bitwise_and": ("int",),
}
"""Operator -> the types it compares."""
