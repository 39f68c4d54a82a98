"""What wrangler 4.164 knows at the top of a config and in `env.<name>`, and what an environment inherits.

Facts from `normalizeAndValidateConfig` and `normalizeAndValidateEnvironment` in wrangler's bundle; a test
compares these tables with the pinned wrangler.
"""

from __future__ import annotations

from collections.abc import Iterable


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


INHERITABLE = _words(
    """
    access account_id assets base_dir build cache compatibility_date compatibility_flags
    compliance_region exports find_additional_modules first_party_worker jsx_factory jsx_fragment
    keep_names limits logfwdr logpush main migrations minify name no_bundle observability placement
    preserve_file_names preview_urls previews python_modules route routes rules triggers tsconfig
    upload_source_maps workers_dev
    """
)
"""Taken from the top level where the environment says nothing."""

NOT_INHERITABLE = _words(
    """
    agent_memory ai ai_search ai_search_namespaces analytics analytics_engine_datasets artifacts
    browser cloudchamber connect containers d1_databases define dispatch_namespaces durable_objects
    flagship hyperdrive images k2 kv_namespaces media mtls_certificates pipelines queues r2_buckets
    ratelimits secrets secrets_store_secrets send_email services stream streaming_tail_consumers
    tail_consumers unsafe unsafe_hello_world vars vectorize version_metadata vpc_networks
    vpc_services worker_loaders workflows
    """
)
"""To be repeated in every environment; wrangler warns when one is missing there."""

TOP_LEVEL = _words(
    """
    $schema addresses alias data_blobs dependencies_instrumentation dev env keep_vars
    pages_build_output_dir send_metrics site text_blobs wasm_modules
    """
)
"""Only at the top; they hold for every environment."""

GENERATED = _words(
    """
    configPath userConfigPath topLevelName definedEnvironments targetEnvironment
    """
)
"""Written into redirected configs by build tools."""

RETIRED = {
    "legacy_env": "service environments are gone; every environment is a Worker of its own. Remove it",
    "node_compat": 'it no longer does anything; use compatibility_flags = ["nodejs_compat"]',
    "type": "project types are gone; remove it",
    "webpack_config": "webpack builds are gone; use `build.command`",
    "zone_id": "give the zone in the route: { pattern, zone_id }",
    "usage_model": "usage models are gone; remove it",
    "experimental_services": "it is called `services` now",
    "kv-namespaces": "it is spelled `kv_namespaces`",
    "miniflare": "it belonged to Miniflare 2; remove it",
    "node_modules": "remove it",
    "unstable_assets": "it is called `assets` now",
    "legacy_assets": "it is gone; use `assets`",
    "experimental_assets": "it is called `assets` now",
    "tsconfig_path": "it is spelled `tsconfig`",
    "local_protocol": "it belongs into `dev`",
    "port": "it belongs into `dev`",
    "ip": "it belongs into `dev`",
}
"""Keys of older wranglers: loaded, ignored, and said to be so."""

ENVIRONMENT = INHERITABLE | NOT_INHERITABLE
KNOWN = ENVIRONMENT | TOP_LEVEL | GENERATED


def closest(word: str, known: Iterable[str]) -> str:
    """A `did you mean …?` sentence for a misspelt `word`, or nothing."""
    import difflib

    names = list(known)
    swapped = word.replace("-", "_").lower()
    if swapped != word and swapped in names:
        return f'Did you mean "{swapped}"?'
    matches = difflib.get_close_matches(word, names, n=1, cutoff=0.7)
    return f'Did you mean "{matches[0]}"?' if matches else ""
