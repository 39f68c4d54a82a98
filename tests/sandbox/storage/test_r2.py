"""R2 over REST, over S3 with boto3, and what both tell the queues."""

import base64
import io
import json
import urllib.error
import urllib.request

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

MEBI = 1 << 20


def _client(connection, **keys):
    given = {
        "aws_access_key_id": connection.s3["access_key_id"],
        "aws_secret_access_key": connection.s3["secret_access_key"],
        **keys,
    }
    retries = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    return boto3.client(
        "s3", endpoint_url=connection.s3["endpoint"], region_name="auto", config=retries, **given
    )


@pytest.fixture(scope="module")
def s3(sandbox):
    sandbox.control("POST", "reset")
    client = _client(sandbox.connection)
    client.create_bucket(Bucket="files")
    yield client
    client.close()


def _refused(code, call, *args, **kwargs):
    with pytest.raises(ClientError) as caught:
        call(*args, **kwargs)
    assert caught.value.response["Error"]["Code"] == code, caught.value


def test_an_object_there_and_back(s3):
    meta = {"colour": "red", "name": "x"}
    put = s3.put_object(
        Bucket="files",
        Key="a/b c/ü+?.txt",
        Body=b"hello world",
        ContentType="text/plain",
        CacheControl="max-age=9",
        Metadata=meta,
    )
    got = s3.get_object(Bucket="files", Key="a/b c/ü+?.txt")
    assert got["Body"].read() == b"hello world"
    assert (got["ContentType"], got["CacheControl"], got["Metadata"]) == ("text/plain", "max-age=9", meta)
    assert got["ETag"] == put["ETag"]
    head = s3.head_object(Bucket="files", Key="a/b c/ü+?.txt")
    assert head["ContentLength"] == 11
    part = s3.get_object(Bucket="files", Key="a/b c/ü+?.txt", Range="bytes=6-8")
    assert part["Body"].read() == b"wor"
    assert part["ContentRange"] == "bytes 6-8/11"
    assert part["ResponseMetadata"]["HTTPStatusCode"] == 206
    _refused("NoSuchKey", s3.get_object, Bucket="files", Key="none")
    _refused("404", s3.head_object, Bucket="files", Key="none")
    _refused("NoSuchBucket", s3.get_object, Bucket="nowhere", Key="x")
    _refused("BucketNotEmpty", s3.delete_bucket, Bucket="files")


def test_conditions_make_a_lock(s3):
    first = s3.put_object(Bucket="files", Key="lock", Body=b"1", IfNoneMatch="*")
    _refused("PreconditionFailed", s3.put_object, Bucket="files", Key="lock", Body=b"2", IfNoneMatch="*")
    s3.put_object(Bucket="files", Key="lock", Body=b"3", IfMatch=first["ETag"])
    _refused(
        "PreconditionFailed", s3.put_object, Bucket="files", Key="lock", Body=b"4", IfMatch=first["ETag"]
    )
    now = s3.get_object(Bucket="files", Key="lock")
    assert now["Body"].read() == b"3"
    _refused("304", s3.get_object, Bucket="files", Key="lock", IfNoneMatch=now["ETag"])
    _refused("PreconditionFailed", s3.get_object, Bucket="files", Key="lock", IfMatch='"other"')


def test_lists_page_and_fold(s3):
    for key in ("l/1", "l/2", "l/d/3", "l/d/4", "l/ü"):
        s3.put_object(Bucket="files", Key=key, Body=b"")
    pages = list(
        s3.get_paginator("list_objects_v2").paginate(
            Bucket="files", Prefix="l/", PaginationConfig={"PageSize": 2}
        )
    )
    assert [one["Key"] for page in pages for one in page.get("Contents", [])] == [
        "l/1",
        "l/2",
        "l/d/3",
        "l/d/4",
        "l/ü",
    ]
    assert len(pages) == 3
    folded = s3.list_objects_v2(Bucket="files", Prefix="l/", Delimiter="/")
    assert [one["Prefix"] for one in folded["CommonPrefixes"]] == ["l/d/"]
    assert folded["KeyCount"] == 4
    old = s3.list_objects(Bucket="files", Prefix="l/", MaxKeys=2)
    assert old["IsTruncated"]
    rest = s3.list_objects(Bucket="files", Prefix="l/", Marker=old["NextMarker"])
    assert [one["Key"] for one in rest["Contents"]] == ["l/d/3", "l/d/4", "l/ü"]
    deleted = s3.delete_objects(Bucket="files", Delete={"Objects": [{"Key": "l/1"}, {"Key": "l/ü"}]})
    assert [one["Key"] for one in deleted["Deleted"]] == ["l/1", "l/ü"]
    assert s3.list_objects_v2(Bucket="files", Prefix="l/")["KeyCount"] == 3
    assert "files" in [one["Name"] for one in s3.list_buckets()["Buckets"]]


def test_copies(s3):
    s3.put_object(Bucket="files", Key="from", Body=b"x", Metadata={"a": "1"}, ContentType="text/x")
    s3.copy_object(Bucket="files", Key="to", CopySource={"Bucket": "files", "Key": "from"})
    assert s3.head_object(Bucket="files", Key="to")["Metadata"] == {"a": "1"}
    s3.copy_object(
        Bucket="files",
        Key="to",
        CopySource="files/from",
        MetadataDirective="REPLACE",
        Metadata={"b": "2"},
    )
    assert s3.head_object(Bucket="files", Key="to")["Metadata"] == {"b": "2"}
    _refused("NoSuchKey", s3.copy_object, Bucket="files", Key="to", CopySource="files/none")
    s3.delete_object(Bucket="files", Key="to")
    s3.delete_object(Bucket="files", Key="to")


def test_multipart(s3):
    data = bytes(range(256)) * 4096 * 11
    config = TransferConfig(multipart_threshold=5 * MEBI, multipart_chunksize=5 * MEBI, max_concurrency=2)
    s3.upload_fileobj(io.BytesIO(data), "files", "big", Config=config)
    got = s3.get_object(Bucket="files", Key="big")
    assert got["ETag"].endswith('-3"')
    assert got["Body"].read() == data
    begun = s3.create_multipart_upload(Bucket="files", Key="half")["UploadId"]
    where = {"Bucket": "files", "Key": "half", "UploadId": begun}
    part = s3.upload_part_copy(**where, PartNumber=1, CopySource="files/big", CopySourceRange="bytes=0-99")
    assert [one["Size"] for one in s3.list_parts(**where)["Parts"]] == [100]
    assert [one["UploadId"] for one in s3.list_multipart_uploads(Bucket="files")["Uploads"]] == [begun]
    parts = [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket="files", Key="half")["Body"].read() == data[:100]
    _refused("NoSuchUpload", s3.abort_multipart_upload, **where)


def test_pre_signed_addresses(s3):
    where = {"Bucket": "files", "Key": "signed/x y"}
    put = s3.generate_presigned_url("put_object", Params=where, ExpiresIn=60)
    request = urllib.request.Request(put, data=b"by link", method="PUT")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    get = s3.generate_presigned_url("get_object", Params=where)
    with urllib.request.urlopen(get) as answer:
        assert answer.read() == b"by link"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(get[:-1] + ("0" if get[-1] != "0" else "1"))
    assert caught.value.code == 403
    caught.value.close()


def test_wrong_and_temporary_credentials(s3, sandbox):
    stranger = _client(sandbox.connection, aws_secret_access_key="x" * 64)
    _refused("SignatureDoesNotMatch", stranger.list_buckets)
    stranger.close()
    made = sandbox.call(
        "POST",
        f"{sandbox.account}/r2/temp-access-credentials",
        {
            "bucket": "files",
            "parentAccessKeyId": sandbox.connection.s3["access_key_id"],
            "permission": "object-read-only",
            "ttlSeconds": 600,
            "prefixes": ["open/"],
        },
    )
    s3.put_object(Bucket="files", Key="open/x", Body=b"x")
    guest = _client(
        sandbox.connection,
        aws_access_key_id=made["accessKeyId"],
        aws_secret_access_key=made["secretAccessKey"],
        aws_session_token=made["sessionToken"],
    )
    assert guest.get_object(Bucket="files", Key="open/x")["Body"].read() == b"x"
    _refused("AccessDenied", guest.get_object, Bucket="files", Key="lock")
    _refused("AccessDenied", guest.put_object, Bucket="files", Key="open/y", Body=b"")
    sandbox.control("PUT", "clock", {"advance": 601})
    _refused("Unauthorized", guest.get_object, Bucket="files", Key="open/x")
    sandbox.control("PUT", "clock", {"offset": 0})
    guest.close()


def test_changes_become_queue_messages(s3, sandbox):
    account = sandbox.account
    queue = sandbox.call("POST", f"{account}/queues", {"queue_name": "changes"})["queue_id"]
    sandbox.call("POST", f"{account}/queues/{queue}/consumers", {"type": "http_pull"})
    rules = [{"actions": ["PutObject", "DeleteObject", "CopyObject"], "prefix": "in/", "suffix": ".txt"}]
    path = f"{account}/event_notifications/r2/files/configuration"
    error = sandbox.call("GET", path, expect=404)
    assert error["code"] == 11015
    sandbox.call("PUT", f"{path}/queues/{queue}", {"rules": rules})
    s3.put_object(Bucket="files", Key="in/a.txt", Body=b"abc")
    s3.put_object(Bucket="files", Key="in/a.bin", Body=b"abc")
    s3.copy_object(Bucket="files", Key="in/b.txt", CopySource="files/in/a.txt")
    sandbox.call("DELETE", f"{account}/r2/buckets/files/objects/in/a.txt")
    pulled = sandbox.call("POST", f"{account}/queues/{queue}/messages/pull", {"batch_size": 10})
    bodies = [json.loads(base64.b64decode(one["body"])) for one in pulled["messages"]]
    assert [(one["action"], one["object"]["key"]) for one in bodies] == [
        ("PutObject", "in/a.txt"),
        ("CopyObject", "in/b.txt"),
        ("DeleteObject", "in/a.txt"),
    ]
    assert bodies[0]["object"]["size"] == 3
    assert bodies[1]["copySource"] == {"bucket": "files", "object": "in/a.txt"}
    listed = sandbox.call("GET", path)
    assert listed["queues"][0]["queueName"] == "changes"
    rule = listed["queues"][0]["rules"][0]["ruleId"]
    sandbox.call("DELETE", f"{path}/queues/{queue}", {"ruleIds": [rule]})
    sandbox.call("GET", path, expect=404)


def test_rest_objects_and_settings(s3, sandbox):
    bucket = f"{sandbox.account}/r2/buckets/files"
    call, http = sandbox.call, sandbox.http
    url = f"{sandbox.connection.api_url}{bucket}/objects/rest/a b"
    put = http.put(url, content=b"body", headers={"content-type": "text/css"})
    assert put.json()["result"]["size"] == "4"
    assert http.get(url).headers["content-type"] == "text/css"
    listed = call("GET", f"{bucket}/objects?prefix=rest/")
    assert [(one["key"], one["http_metadata"]) for one in listed] == [
        ("rest/a b", {"contentType": "text/css"})
    ]
    rules = {
        "rules": [{"id": "keep", "enabled": True, "condition": {"type": "Indefinite"}, "prefix": "rest/"}]
    }
    call("PUT", f"{bucket}/lock", rules)
    assert call("GET", f"{bucket}/lock") == rules
    assert http.delete(url).status_code == 409
    _refused("ObjectLockedByBucketPolicy", s3.delete_object, Bucket="files", Key="rest/a b")
    call("PUT", f"{bucket}/lock", {"rules": []})
    assert http.delete(url).status_code == 200
    assert call("GET", f"{bucket}/cors", expect=404)["code"] == 10059
    call("PUT", f"{bucket}/cors", {"rules": [{"allowed": {"methods": ["GET"], "origins": ["*"]}}]})
    assert len(call("GET", f"{bucket}/cors")["rules"]) == 1
    call("DELETE", f"{bucket}/cors")
    dev = call("PUT", f"{bucket}/domains/managed", {"enabled": True})
    assert dev["enabled"] and dev["domain"].endswith(".r2.dev")
    before = call("GET", f"{sandbox.account}/r2/metrics")["standard"]["published"]["objects"]
    http.put(url, content=b"counted").raise_for_status()
    assert call("GET", f"{sandbox.account}/r2/metrics")["standard"]["published"]["objects"] == before + 1


def test_jurisdictions_have_names_of_their_own(sandbox, s3):
    path, european = f"{sandbox.account}/r2/buckets", {"headers": {"cf-r2-jurisdiction": "eu"}}
    made = sandbox.call("POST", path, {"name": "files"}, **european)
    assert made["jurisdiction"] == "eu"
    assert [one["name"] for one in sandbox.call("GET", path, **european)["buckets"]] == ["files"]
    sandbox.call("DELETE", f"{path}/files", **european)
    assert sandbox.call("DELETE", f"{path}/files", expect=404, **european)["code"] == 10006
    assert sandbox.call("POST", path, {"name": "files"}, expect=409)["code"] == 10004
    assert sandbox.call("POST", path, {"name": "A"}, expect=400)["code"] == 10005
