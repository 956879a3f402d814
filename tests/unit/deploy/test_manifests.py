"""What is rendered says what stack.yml says, and is what a cluster would take."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from instance_ha.models import triggers
from instance_ha.settings import load as load_settings

import stack
from deploy.render.__main__ import differences, render
from deploy.render.site import Site, read, seconds
from local.files import repository
from tests.unit.deploy.knative import KINDS
from tests.unit.deploy.kubernetes_models import CORE, mistakes

SITE = read(repository(), {})
FILES = render(SITE)
OBJECTS: list[dict[str, Any]] = [
    content for path, text in FILES.items() if path.endswith(".yaml") for content in yaml.safe_load_all(text)
]
SERVICES = {o["metadata"]["name"]: o for o in OBJECTS if o["kind"] == "Service"}


def only(kind: str) -> dict[str, Any]:
    (found,) = [o for o in OBJECTS if o["kind"] == kind]
    return found


def test_what_is_committed_is_what_stack_yml_says() -> None:
    assert differences(FILES, repository() / "deploy") == []


def test_a_difference_a_missing_file_and_a_strange_one_are_found(tmp_path: Path) -> None:
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    assert differences(FILES, tmp_path) == []

    (tmp_path / "knative/old.yaml").touch()
    (tmp_path / "gateway/nginx.conf").write_text("")
    (tmp_path / "knative/clocks.yaml").unlink()

    assert differences(FILES, tmp_path) == ["gateway/nginx.conf", "knative/clocks.yaml", "knative/old.yaml"]


@pytest.mark.parametrize("content", OBJECTS, ids=lambda o: f"{o['kind']}-{o['metadata']['name']}")
def test_the_cluster_knows_every_field(content: dict[str, Any]) -> None:
    if content["kind"] in CORE:
        assert mistakes(content, CORE[content["kind"]]) == []
    else:
        KINDS[content["kind"]].model_validate(content)


def test_a_misspelt_field_would_be_found() -> None:
    job = only("Job")
    pod = job["spec"]["template"]["spec"] | {"restartPolice": "Never"}
    wrong = job | {"spec": job["spec"] | {"backoffLimit": "3", "template": {"spec": pod}}}
    assert mistakes(wrong, "V1Job") == [
        ".spec.backoffLimit: '3' is no int",
        ".spec.template.spec: unknown field restartPolice",
    ]


def test_each_function_has_its_service_with_its_limits_and_secrets() -> None:
    assert set(SERVICES) == {function.name for function in SITE.functions}
    for function in SITE.functions:
        spec = SERVICES[function.name]["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        assert container["image"] == f"masakari-functions/{function.name}:latest"
        assert container["resources"] == {"limits": function.limits, "requests": function.requests}
        sources = [source["secret"] for source in spec["volumes"][1]["projected"]["sources"]]
        assert [s["name"] for s in sources if not s.get("optional")] == list(function.secrets)
        assert all(s["items"] == [{"key": s["name"], "path": s["name"]}] for s in sources)
        assert container["volumeMounts"][1]["mountPath"] == "/var/openfaas/secrets"
        assert spec["timeoutSeconds"] == seconds(function.environment["exec_timeout"])
        assert str(spec["containerConcurrency"]) == function.environment["THREADS"]


def test_no_secret_is_in_a_variable_or_a_file() -> None:
    for text in FILES.values():
        assert "secretKeyRef" not in text
        assert not re.search(r"postgres(ql)?://", text)
    assert not {o["kind"] for o in OBJECTS} & {"Secret"}


def test_nothing_is_reached_from_outside_but_by_the_route() -> None:
    for service in SERVICES.values():
        assert service["metadata"]["labels"]["networking.knative.dev/visibility"] == "cluster-local"


def test_event_and_cron_functions_are_reached_from_knative_only_and_api_functions_are_not_cut_off() -> None:
    policy = only("NetworkPolicy")["spec"]
    (expression,) = policy["podSelector"]["matchExpressions"]
    inner = {f.name for f in SITE.functions if f.events or (f.schedule and not f.route)}

    assert set(expression["values"]) == inner
    (rule,) = policy["ingress"]
    assert rule["from"][0]["namespaceSelector"]["matchExpressions"][0]["values"] == [
        "knative-serving",
        "knative-eventing",
    ]
    for name, service in SERVICES.items():
        annotations = service["spec"]["template"]["metadata"]["annotations"]
        assert (annotations.get("autoscaling.knative.dev/target-burst-capacity") == "-1") == (name in inner)


def test_every_kind_of_event_reaches_its_function_through_a_trigger_that_waits_for_its_work() -> None:
    kinds = {kind.type: kind.function for kind in vars(triggers).values() if isinstance(kind, triggers.Kind)}
    found = [o["spec"] for o in OBJECTS if o["kind"] == "Trigger"]
    told = {t["filter"]["attributes"]["type"]: t["subscriber"]["ref"]["name"] for t in found}
    assert told == kinds
    invocation = load_settings({"DATABASE_URL": "postgresql://u@h/d"}).invocation_time
    for trigger in found:
        delivery = trigger["delivery"]
        assert float(delivery["timeout"][2:-1]) > invocation
        assert delivery["deadLetterSink"]["ref"]["name"] in SERVICES
        assert trigger["broker"] == only("Broker")["metadata"]["name"]


def test_every_schedule_has_its_clock() -> None:
    clocks = {o["spec"]["sink"]["ref"]["name"]: o["spec"]["schedule"] for o in OBJECTS if o["kind"] == "PingSource"}
    assert clocks == {f.name: f.schedule for f in SITE.functions if f.schedule}


def test_functions_read_the_rendered_settings() -> None:
    data = only("ConfigMap")["data"]
    settings = load_settings(data | {"DATABASE_URL": "postgresql://u@h/d"})

    assert settings.trigger_sink == ("http://broker-ingress.knative-eventing.svc.cluster.local/instance-ha/instance-ha")
    assert data["OS_CLOUD"] == SITE.settings["OS_CLOUD"]


def test_the_openfaas_settings_are_read_by_functions_too() -> None:
    settings = load_settings({**SITE.settings, "DATABASE_URL": "postgresql://u@h/d"})

    assert settings.trigger_sink == "http://gateway.openfaas:8080/function/{function}"


PATHS = ["/", "/v1", "/v1/segments", "/v1/segments/1/hosts", "/v1/segments/1/hosts/2", "/v1/notifications",
         "/v1/notifications/1/vmoves", "/v1/0123abcd/notifications", "/v1/x-instance-ha/purge", "/other"]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_the_http_route_sends_a_path_where_the_local_gateway_does_whatever_the_order_of_its_patterns(path: str) -> None:
    rules = only("HTTPRoute")["spec"]["rules"]
    matches = [(rule["matches"][0]["path"], rule["filters"][1]["urlRewrite"]["hostname"]) for rule in rules]
    owners = {
        host for match, host in matches if match["type"] == "RegularExpression" and re.fullmatch(match["value"], path)
    }
    rest = next(host for match, host in matches if match == {"type": "PathPrefix", "value": "/"})

    assert owners or {rest} == {f"{stack.routed(SITE.functions, path)}.instance-ha.svc.cluster.local"}
    assert owners <= {f"{stack.routed(SITE.functions, path)}.instance-ha.svc.cluster.local"}


def test_the_http_route_gives_the_platforms_paths_to_nobody() -> None:
    rule = only("HTTPRoute")["spec"]["rules"][0]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/_"}}]
    assert rule["filters"][1]["urlRewrite"]["path"] == {"type": "ReplaceFullPath", "replaceFullPath": "/not-found"}


def test_a_site_has_its_own_images_namespace_and_names() -> None:
    variables = {"IMAGE_PREFIX": "registry.test/ha", "IMAGE_TAG": "7", "NAMESPACE": "prod", "API_HOST": "ha.test"}
    files = render(replace(SITE, variables=variables))

    assert "image: registry.test/ha/sweep:7" in files["knative/services.yaml"]
    assert "/prod/instance-ha" in files["knative/settings.yaml"]
    assert "ha.test" in files["gateway/httproute.yaml"] and "server_name ha.test;" in files["gateway/nginx.conf"]
    assert all("masakari-functions" not in text and "namespace: instance-ha" not in text for text in files.values())


def test_new_functions_of_stack_yml_are_rendered_without_further_ado() -> None:
    sweep = next(f for f in SITE.functions if f.name == "sweep")
    more = replace(sweep, name="watch", annotations={k: v for k, v in sweep.annotations.items() if "letters" not in k})
    files = render(Site((*SITE.functions, more), SITE.settings))

    assert [o["metadata"]["name"] for o in yaml.safe_load_all(files["knative/clocks.yaml"])][-1] == "watch"
    assert "watch" in files["knative/network-policy.yaml"]


def test_the_command_writes_a_site_elsewhere_and_checks_ours(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.render"]
    for options in (["--to", str(tmp_path)], ["--check"]):
        done = subprocess.run([*command, *options], cwd=repository(), capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    assert {str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*")} == set(FILES)


@pytest.mark.parametrize(("text", "expected"), [("60s", 60), ("500ms", 0.5), ("2m", 120), ("1.5h", 5400)])
def test_a_duration_is_read(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "60", "s", "1m30s", "-1s", "1.2.3s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        seconds(text)
