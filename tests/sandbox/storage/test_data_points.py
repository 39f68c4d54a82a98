"""Analytics Engine: what a Worker writes is queried, and a query can do nothing else."""

import pytest
from tests.conftest import Sandbox
from tests.sandbox.sidecar.driver import until
from tests.sandbox.upload import deploy

from trailboss.sandbox.products import data_points
from trailboss.sandbox.store import Store

NOW = 1_800_000_000.0
WORKER = """
export default {
  fetch(request, env) {
    const url = new URL(request.url);
    if (url.pathname === "/wrong") {
      try { env.VISITS.writeDataPoint({ indexes: ["a", "b"] }); }
      catch (error) { return new Response(error.message); }
    }
    env.VISITS.writeDataPoint({ indexes: ["tenant"], blobs: [url.pathname, null], doubles: [1.5, 2] });
    return new Response("written");
  },
};
"""


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "state.sqlite")
    made.define(data_points.SCHEMA)
    for age, size in ((0, 1), (90, 2), (7200, 4)):
        data_points.write(made, "visits", {"blobs": ["/"], "doubles": [size]}, NOW - age)
    data_points.write(made, "other's", {"indexes": ["x"]}, NOW)
    yield made
    made.close()


def ask(store, sql):
    return data_points.query(store.path, data_points.datasets(store), sql, NOW)


def test_columns_sums_and_times(store):
    columns, rows = ask(store, "SELECT * FROM visits ORDER BY timestamp DESC LIMIT 1")
    assert columns == data_points.COLUMNS
    assert rows[0][:4] == ("2027-01-15 08:00:00", "visits", "", "/")
    total = "SELECT SUM(_sample_interval * double1) AS total, count() FROM visits"
    assert ask(store, total) == (["total", "count()"], [(7.0, 3)])
    assert ask(store, f"{total} WHERE timestamp > NOW() - INTERVAL '1' HOUR")[1] == [(3.0, 2)]
    steps = (
        "SELECT toStartOfInterval(timestamp, INTERVAL '1' MINUTE) AS t, sum(double1) FROM visits GROUP BY t"
    )
    assert ask(store, steps)[1][1:] == [("2027-01-15 07:58:00", 2.0), ("2027-01-15 08:00:00", 1.0)]
    assert ask(store, 'SELECT index1 FROM "other\'s"')[1] == [("x",)]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM visits",
        "SELECT * FROM data_points",
        "SELECT body FROM records",
        "SELECT * FROM sqlite_master",
        "ATTACH '/tmp/x' AS x",
        "PRAGMA table_list",
        "SELECT load_extension('x')",
        "SELECT 1; SELECT 2",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
        "SELECT nonsense(1) FROM visits",
        "",
    ],
)
def test_nothing_but_reading_datasets(store, sql):
    with pytest.raises(data_points.Refused):
        ask(store, sql)
    assert len(ask(store, "SELECT 1 FROM visits")[1]) == 3


def test_a_worker_writes_and_the_api_reads(account: Sandbox):
    url = f"{account.connection.api_url}{account.account}/analytics_engine/sql"
    unknown = account.http.post(url, content="SELECT * FROM visits")
    assert (unknown.status_code, unknown.text) == (422, "unable to find type of table visits")
    deploy(
        account,
        "app",
        {"bindings": [{"name": "VISITS", "type": "analytics_engine", "dataset": "visits"}]},
        WORKER,
    )
    assert account.worker("app", "/one").text == "written"
    assert account.worker("app", "/wrong").text == "Maximum of 1 indexes supported."
    until(lambda: account.http.post(url, content="SHOW TABLES").json()["rows"] == 1)
    sql = "SELECT index1, blob1, blob2, double1 + double2 AS total, count() AS n FROM visits"
    answer = account.http.post(url, content=f"{sql} FORMAT JSON").json()
    assert answer["data"] == [{"index1": "tenant", "blob1": "/one", "blob2": "", "total": 3.5, "n": 1}]
    assert [column["type"] for column in answer["meta"]] == ["String", "String", "String", "Float64", "Int64"]
    assert (answer["rows"], answer["rows_before_limit_at_least"]) == (1, 1)
    assert (
        account.http.get(url, params={"query": f"{sql} FORMAT TabSeparated"}).text
        == "tenant\t/one\t\t3.5\t1\n"
    )
    account.control("POST", "reset")
    assert account.http.post(url, content="SHOW TABLES").json()["data"] == []
