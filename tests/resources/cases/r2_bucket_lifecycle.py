"""Lifecycle rules for the suites over all kinds."""

from trailboss.resources.r2_bucket import R2Bucket
from trailboss.resources.r2_bucket_lifecycle import R2BucketLifecycle

_OLD = {"id": "old", "delete_objects_transition": {"condition": {"max_age": 86_400}}}
_TEMPORARY = {
    "id": "temporary",
    "enabled": False,
    "conditions": {"prefix": "tmp/"},
    "abort_multipart_uploads_transition": {"condition": {"max_age": 3600}},
    "storage_class_transitions": [{"condition": {"date": "2027-01-31"}, "storage_class": "InfrequentAccess"}],
}
BARE = R2BucketLifecycle("shop-files", rules=(_OLD,))
FULL = R2BucketLifecycle("shop-files", rules=(_TEMPORARY, _OLD))
BEFORE: tuple[tuple[str, object], ...] = (("r2_bucket", R2Bucket("shop-files")),)
