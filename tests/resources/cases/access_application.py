"""An Access application for the suites over all kinds; the policies are names of BEFORE."""

from trailboss.resources.access_application import AccessApplication
from trailboss.resources.access_policy import AccessPolicy

EVERYONE = ({"everyone": {}},)
BARE = AccessApplication("dev", "dev.example.com")
FULL = AccessApplication(
    "dev",
    "next.example.com/admin",
    destinations=(
        {"type": "public", "uri": "next.example.com/admin"},
        {"type": "public", "uri": "old.example.com"},
    ),
    policies=("robots", "staff"),
    session_duration="30m",
    allowed_idps=(),
    auto_redirect_to_identity=False,
    app_launcher_visible=False,
    service_auth_401_redirect=True,
    read_service_tokens_from_header="Authorization",
    skip_interstitial=True,
    options_preflight_bypass=True,
    enable_binding_cookie=True,
    http_only_cookie_attribute=False,
    same_site_cookie_attribute="strict",
    path_cookie_attribute=True,
    custom_deny_message="No.",
    custom_deny_url="https://example.com/no",
    custom_non_identity_deny_url="https://example.com/never",
    cors_headers={"allow_all_origins": True},
    logo_url="https://example.com/logo.png",
    allow_iframe=True,
    allow_authenticate_via_warp=False,
    mfa_config={"mfa_disabled": True},
)
BEFORE: tuple[tuple[str, object], ...] = (
    ("access_policy", AccessPolicy("staff", "allow", EVERYONE)),
    ("access_policy", AccessPolicy("robots", "non_identity", ({"any_valid_service_token": {}},))),
)
