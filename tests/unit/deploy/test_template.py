"""What the images tell OpenFaaS' watchdog."""

import re

from local.files import repository

DOCKERFILE = (repository() / "template/python-functions-framework/Dockerfile").read_text()


def told() -> dict[str, str]:
    """Return the variables of the last stage, which the watchdog reads."""
    stage = DOCKERFILE.split("AS openfaas")[1].replace("\\\n", " ")
    lines = [line.removeprefix("ENV ") for line in stage.splitlines() if line.startswith("ENV ")]
    return {
        name: quoted or plain for line in lines for name, quoted, plain in re.findall(r'(\w+)=(?:"(.*?)"|(\S+))', line)
    }


def test_the_watchdog_does_not_panic_when_it_is_asked_whether_it_is_ready() -> None:
    """Of-watchdog 0.11.6 reads the body of each probe of ready_path if it buffers bodies, and there is none."""
    assert told()["ready_path"] == "/_/ready"
    assert told()["http_buffer_req_body"] == "false"
