"""CORS rules for the suites over all kinds."""

from trailboss.resources.r2_bucket import R2Bucket
from trailboss.resources.r2_bucket_cors import R2BucketCORS

_READ = {"allowed": {"origins": ["https://shop.example.com"], "methods": ["get", "HEAD"]}}
_WRITE = {
    "id": "upload",
    "allowed": {"origins": ["https://admin.example.com"], "methods": ["PUT"], "headers": ["content-type"]},
    "expose_headers": ["etag"],
    "max_age_seconds": 600,
}
BARE = R2BucketCORS("shop-files", rules=(_READ,))
FULL = R2BucketCORS("shop-files", rules=(_WRITE, _READ))
BEFORE: tuple[tuple[str, object], ...] = (("r2_bucket", R2Bucket("shop-files")),)
