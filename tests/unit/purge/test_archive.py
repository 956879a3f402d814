"""Archive first: what is deleted is in the bucket, once, and what is not in the bucket is not deleted."""

import gzip
import json
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from instance_ha.archive.bucket import Bucket
from instance_ha.models.errors import ArchiveUnavailable
from instance_ha.purge import PurgeResult
from instance_ha.store import migrate
from sqlalchemy import text

from tests.followers import KEYS, Aws
from tests.receivers import drip, receiver
from tests.unit.purge.history import HOST, SEGMENT, VMOVE, History

STEPS = ("batch-planned", "batch-archived", "batch-deleted")


def fill(history: History) -> int:
    """Have rows in most tables; returns how many."""
    history.notification("n", 31, moves=4, tasks=2)
    history.add("failover_segments", SEGMENT | {"uuid": "segment", "description": "räck"}, deleted_at=31)
    history.add("hosts", HOST, deleted_at=31)
    return 9


class Objects:
    """A bucket at moto."""

    def __init__(self, aws: Aws) -> None:
        self.name = f"archive-{uuid4().hex[:10]}"
        self._s3 = aws.client("s3")
        where = {"LocationConstraint": "eu-north-1"}
        self._s3.create_bucket(Bucket=self.name, CreateBucketConfiguration=where)
        self._s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})

    def keys(self) -> list[str]:
        """Name all versions of all objects."""
        return [version["Key"] for version in self._s3.list_object_versions(Bucket=self.name).get("Versions", [])]

    def read(self, key: str) -> bytes:
        """Read an object."""
        return bytes(self._s3.get_object(Bucket=self.name, Key=key)["Body"].read())

    def rows(self) -> list[dict[str, Any]]:
        """Read all rows, checking each manifest."""
        found: list[dict[str, Any]] = []
        for key in self.keys():
            if key.endswith(".manifest.json"):
                manifest = json.loads(self.read(key))
                data = self.read(manifest["object"])
                lines = [json.loads(line) for line in gzip.decompress(data).decode().splitlines()]
                assert (manifest["format"], manifest["rows"], manifest["bytes"]) == (1, len(lines), len(data))
                assert manifest["sha256"] == sha256(data).hexdigest()
                assert [lines[0]["id"], lines[-1]["id"]] == [manifest["first_id"], manifest["last_id"]]
                found += [{"table": manifest["table"], "schema": manifest["schema"], **line} for line in lines]
        return found


@pytest.fixture
def objects(aws: Aws) -> Objects:
    """An empty bucket."""
    return Objects(aws)


@pytest.fixture
def history(database_url: str, aws: Aws, objects: Objects) -> History:
    """A history whose archive is that bucket."""
    return at_moto(database_url, aws, objects.name)


def at_moto(database_url: str, aws: Aws, bucket: str) -> History:
    """Make a history with an archive at moto."""
    settings: dict[str, Any] = {"archive_bucket": bucket, "archive_endpoint_url": aws.url, "purge_batch": "3"}
    made = History(database_url, **settings)
    made.with_archive(Bucket(made.world.settings, KEYS))
    return made


def test_every_row_that_is_deleted_is_in_the_bucket_with_all_its_columns(
    history: History, objects: Objects, database_url: str
) -> None:
    total = fill(history)
    assert sum(history.purged().values()) == total
    assert history.left() == {}
    rows = objects.rows()
    assert len(rows) == total
    segment = next(row for row in rows if row["table"] == "failover_segments")
    assert (segment["uuid"], segment["description"], segment["deleted_at"][:10]) == ("segment", "räck", "2100-10-22")
    assert {row["schema"] for row in rows} == {migrate.version(database_url)}
    assert sorted(row["table"] for row in rows).count("vmoves") == 4


def test_without_the_bucket_nothing_is_deleted(database_url: str, aws: Aws) -> None:
    history = at_moto(database_url, aws, "no-such-bucket")
    fill(history)
    before, came = history.left(), history.purge()
    history.run()
    assert isinstance(came[0], ArchiveUnavailable)
    assert "NoSuchBucket" in str(came[0])
    assert before == history.left()


def test_an_archive_that_does_not_answer_is_no_reason_to_delete(database_url: str) -> None:
    history = History(database_url, archive_bucket="any", archive_endpoint_url="http://127.0.0.1:1")
    history.with_archive(Bucket(history.world.settings, KEYS))
    fill(history)
    before, came = history.left(), history.purge()
    history.run()
    assert isinstance(came[0], ArchiveUnavailable)
    assert before == history.left()


def test_a_bucket_that_loses_what_was_written_is_no_reason_to_delete(database_url: str) -> None:
    history = History(database_url, [{"do": "lossy", "to": 50}], archive_bucket="any")
    total = fill(history)
    first, second = history.purge(), history.purge(100)
    history.run()
    assert isinstance(first[0], ArchiveUnavailable)
    assert isinstance(second[0], PurgeResult)
    assert second[0].total == total


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_wherever_a_purge_is_killed_no_row_is_lost_and_none_is_written_twice(
    history: History, objects: Objects, step: str, nth: int
) -> None:
    total = fill(history)
    history.simulation.faults.kill.append({"breakpoint": step, "nth": nth})
    killed, after = history.purge(), history.purge(600)
    history.run()
    assert (killed, history.simulation.killed) == ([], [step])
    assert isinstance(after[0], PurgeResult)
    assert history.left() == {}
    assert len(objects.rows()) == total
    assert len(objects.keys()) == len(set(objects.keys()))  # no object has a second version
    assert history.names("purge_batches", "id") == []


def test_a_database_that_was_made_anew_and_counts_from_one_again_is_archived_beside_the_old(
    history: History, objects: Objects
) -> None:
    first = fill(history)
    history.purged()
    with history.world.database.begin() as connection:
        connection.execute(
            text("TRUNCATE vmoves, failover_segments, hosts, notifications, recovery_tasks RESTART IDENTITY")
        )
    history.notification("another", 40, moves=4)
    second = history.purged()
    assert {row["table"] for row in objects.rows() if row.get("notification_uuid") == "another"} == {
        "notifications",
        "vmoves",
    }
    assert len(objects.rows()) == first + sum(second.values())


def test_two_purges_at_once_write_and_delete_each_row_once(database_url: str) -> None:
    history = History(database_url, archive_bucket="any", purge_batch="2")
    total = fill(history)
    for number in range(20):
        history.add("vmoves", VMOVE | {"notification_uuid": "n", "instance_uuid": f"more{number}"})
    came = [history.purge(), history.purge()]
    history.run()
    reports = [each[0] for each in came]
    assert all(isinstance(report, PurgeResult) for report in reports)
    assert sum(report.total for report in reports if isinstance(report, PurgeResult)) == total + 20
    assert len(history.simulation.bucket.writes) == len(set(history.simulation.bucket.writes))


def test_a_batch_whose_rows_went_without_an_archive_is_forgotten(database_url: str) -> None:
    archived, plain = History(database_url, archive_bucket="any"), History(database_url)
    fill(archived)
    archived.simulation.faults.kill.append({"breakpoint": "batch-planned", "nth": 1})
    archived.purge()
    archived.purge(600)
    archived.simulation.scheduler.run(300, lambda: False)
    plain.purged()
    archived.run()
    assert archived.left() == {}
    assert archived.names("purge_batches", "id") == []
    assert archived.simulation.bucket.writes == []


def test_a_batch_that_was_left_behind_waits_for_a_purge_that_may_delete_as_many(history: History) -> None:
    fill(history)
    history.simulation.faults.kill.append({"breakpoint": "batch-archived", "nth": 2})
    history.purge()
    small, large = history.purge(600, max_rows=1), history.purge(700)
    history.run()
    assert isinstance(small[0], PurgeResult)
    assert isinstance(large[0], PurgeResult)
    assert small[0].total == 1
    assert history.left() == {}


def test_a_purge_that_may_not_take_what_was_left_behind_says_that_it_is_not_complete(history: History) -> None:
    history.add("vmoves", VMOVE | {"notification_uuid": "gone"})
    history.add("vmoves", VMOVE | {"notification_uuid": "gone too"})
    history.simulation.faults.kill.append({"breakpoint": "batch-planned", "nth": 1})
    history.purge()
    small, large = history.purge(600, max_rows=1), history.purge(700)
    history.run()
    assert isinstance(small[0], PurgeResult)
    assert isinstance(large[0], PurgeResult)
    assert (small[0].total, small[0].complete) == (0, False)
    assert (large[0].total, large[0].complete) == (2, True)


def test_a_batch_that_was_left_behind_goes_although_batches_have_become_smaller_since(database_url: str) -> None:
    before = History(database_url, archive_bucket="any", purge_batch="3")
    before.simulation.faults.kill.append({"breakpoint": "batch-planned", "nth": 2})
    fill(before)
    before.purge()
    before.run()
    since = History(database_url, archive_bucket="any", purge_batch="1")
    since.purge(600)
    since.run()
    assert since.left() == {}


@pytest.mark.parametrize("head", [b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"])
def test_an_archive_that_answers_a_byte_at_a_time_is_no_reason_to_wait_for_ever(database_url: str, head: bytes) -> None:
    with receiver(drip(head)) as url:
        history = History(database_url, archive_bucket="any", archive_endpoint_url=url, archive_timeout="0.3")
        history.with_archive(Bucket(history.world.settings, KEYS))
        fill(history)
        before, came = history.left(), history.purge()
        history.run()
    assert isinstance(came[0], ArchiveUnavailable)
    assert before == history.left()
