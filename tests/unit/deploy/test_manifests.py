"""What is rendered says what stack.yml says, and is what a cluster would take."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from instance_ha.durations import seconds
from instance_ha.models import triggers
from instance_ha.settings import load as load_settings

import stack
from deploy.render.__main__ import differences, render
from deploy.render.site import Site, read
from local.files import repository
from tests.recordings.kubernetes.server import RULES
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


def policies(site: Site, path: str) -> dict[str, dict[str, Any]]:
    return {o["metadata"]["name"]: o["spec"] for o in yaml.safe_load_all(render(site)[path])}


def names(selector: dict[str, Any]) -> set[str]:
    (expression,) = selector["matchExpressions"]
    return set(expression["values"])


def callers(policy: dict[str, Any]) -> set[str]:
    ((source,),) = (rule["from"] for rule in policy["ingress"])
    return names(source["namespaceSelector"])


def test_every_function_is_reached_from_knative_and_only_public_ones_from_its_ingress() -> None:
    policy = policies(SITE, "knative/network-policy.yaml")
    inner = {f.name for f in SITE.functions if f.events or (f.schedule and not f.route)}

    assert names(policy["inner-functions"]["podSelector"]) == inner
    assert names(policy["public-functions"]["podSelector"]) == set(SERVICES) - inner
    assert callers(policy["inner-functions"]) == {"knative-serving", "knative-eventing"}
    assert callers(policy["public-functions"]) == {"knative-serving", "knative-eventing", "istio-system"}
    for name, service in SERVICES.items():
        annotations = service["spec"]["template"]["metadata"]["annotations"]
        assert (annotations.get("autoscaling.knative.dev/target-burst-capacity") == "-1") == (name in inner)


def test_on_openfaas_every_function_is_reached_from_its_gateway_only() -> None:
    policy = policies(SITE, "openfaas/network-policy.yaml")["instance-ha"]

    assert names(policy["podSelector"]) == set(SERVICES)
    assert callers(policy) == {"openfaas"}


@pytest.mark.parametrize("path", ["knative/network-policy.yaml", "openfaas/network-policy.yaml"])
def test_no_function_reaches_the_metadata_of_the_cloud(path: str) -> None:
    dns, rest = policies(SITE, path)["egress"]["egress"]
    blocks = [to["ipBlock"] for to in rest["to"] if "ipBlock" in to]

    assert [port["port"] for port in dns["ports"]] == [53, 53]
    assert ["169.254.0.0/16"] in [block["except"] for block in blocks]


@pytest.mark.parametrize("path", ["knative/network-policy.yaml", "openfaas/network-policy.yaml"])
def test_a_site_says_where_its_functions_may_connect_to(path: str) -> None:
    site = replace(SITE, variables={"EGRESS": "10.0.0.5:5432 10.1.0.0/16:443,8774 2001:db8::/32"})
    _dns, platform, *networks = policies(site, path)["egress"]["egress"]

    assert names(platform["to"][0]["namespaceSelector"]) & {"knative-eventing", "openfaas"}
    assert [
        (rule["to"][0]["ipBlock"]["cidr"], [port["port"] for port in rule.get("ports", [])]) for rule in networks
    ] == [
        ("10.0.0.5/32", [5432]),
        ("10.1.0.0/16", [443, 8774]),
        ("2001:db8::/32", []),
    ]


@pytest.mark.parametrize("text", ["postgres:5432", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/8:https"])
def test_a_network_that_is_none_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(stack.StackError, match=f"EGRESS: {text} is no network") as refused:
        render(replace(SITE, variables={"EGRESS": text}))
    assert "\n" not in str(refused.value)


def test_the_account_of_the_monitor_may_do_what_a_real_api_server_let_it_do_and_nothing_else() -> None:
    """With these rules, and RBAC on, every answer of tests/recordings to `reader` was recorded; nobody else got one."""
    exchanges = [
        exchange
        for path in (repository() / "tests/recordings/kubernetes/answers").glob("*.json")
        for exchange in json.loads(path.read_text())["exchanges"]
    ]
    answered = {(e["request"]["path"], e["request"]["authorization"]) for e in exchanges if e["status"] == 200}
    assert answered == {("/api/v1/nodes", "Bearer reader")}

    assert only("ClusterRole")["rules"] == RULES
    (subject,) = only("ClusterRoleBinding")["subjects"]
    assert subject["name"] == only("ClusterRole")["metadata"]["name"] == "instance-ha-monitor"


@pytest.mark.parametrize(
    ("settings", "account"),
    [
        ({}, "instance-ha"),
        ({"INSTANCE_HA_MONITORING_DRIVER": "consul"}, "instance-ha"),
        ({"INSTANCE_HA_MONITORING_DRIVER": "kubernetes"}, "instance-ha-monitor"),
        (
            {"INSTANCE_HA_MONITORING_DRIVER": "kubernetes", "INSTANCE_HA_KUBERNETES_CONFIG_FILE": "/x"},
            "instance-ha",
        ),
    ],
)
def test_only_a_monitor_that_asks_this_cluster_has_an_account_with_rights(
    settings: dict[str, str], account: str
) -> None:
    files = render(replace(SITE, settings={**SITE.settings, **settings}))
    services = {o["metadata"]["name"]: o["spec"] for o in yaml.safe_load_all(files["knative/services.yaml"])}
    accounts = {name: spec["template"]["spec"]["serviceAccountName"] for name, spec in services.items()}

    assert accounts.pop("monitor-poll") == account
    assert set(accounts.values()) == {"instance-ha"}


def test_images_of_a_private_registry_are_fetched_with_its_secret() -> None:
    files = render(replace(SITE, variables={"IMAGE_PULL_SECRET": "registry"}))
    accounts = [
        o
        for path in ("knative/namespace.yaml", "knative/monitor-nodes.yaml")
        for o in yaml.safe_load_all(files[path])
        if o["kind"] == "ServiceAccount"
    ]

    assert [account["imagePullSecrets"] for account in accounts] == [[{"name": "registry"}]] * 2
    assert "imagePullSecrets" not in FILES["knative/namespace.yaml"]


def test_no_probe_keeps_pods_away_or_slows_cold_starts() -> None:
    for service in SERVICES.values():
        (container,) = service["spec"]["template"]["spec"]["containers"]
        assert "startupProbe" not in container  # Knative gives it no port, and the API server refuses the pod
        assert "periodSeconds" not in container["readinessProbe"]  # it would replace Knative's fast probing
        alive = container["livenessProbe"]
        assert alive["periodSeconds"] * alive["failureThreshold"] >= 60  # a slow start is not killed


def test_every_kind_of_event_reaches_its_function_through_a_trigger_that_waits_for_its_work() -> None:
    kinds = {kind.type: kind.function for kind in vars(triggers).values() if isinstance(kind, triggers.Kind)}
    found = [o["spec"] for o in OBJECTS if o["kind"] == "Trigger"]
    named = {t["filter"]["attributes"]["type"]: t["subscriber"]["ref"]["name"] for t in found}
    assert named == kinds
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
         "/v1/notifications/1/vmoves", "/v1/0123abcd/notifications", "/v1/x-instance-ha/purge",
         "/v1/x-instance-ha/plans", "/other"]  # fmt: skip


MATCHES = {
    rule["matches"][0]["path"]["value"]: rule["filters"][1]["urlRewrite"] for rule in only("HTTPRoute")["spec"]["rules"]
}
# The specification leaves the order of regular expressions to the gateway: these are the ways to go.
ORDERS = {"of the file": list(MATCHES), "longest first": sorted(MATCHES, key=len, reverse=True)}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("path", PATHS)
def test_every_gateway_sends_a_path_where_the_local_gateway_does(path: str, order: str) -> None:
    first = next(MATCHES[pattern] for pattern in ORDERS[order] if re.fullmatch(pattern, path))

    assert first == {"hostname": f"{stack.routed(SITE.functions, path)}.instance-ha.svc.cluster.local"}


WORDS = st.sampled_from(["v1", "0123abcd", "segments", "hosts", "notifications", "x-instance-ha", "purge", "_", ""])


@given(st.lists(WORDS, max_size=7).map(lambda words: "/" + "/".join(words)))
def test_no_path_goes_elsewhere_for_the_order_of_a_gateway(path: str) -> None:
    firsts = [next(MATCHES[pattern] for pattern in order if re.fullmatch(pattern, path)) for order in ORDERS.values()]

    assert firsts[0] == firsts[1]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("path", ["/_", "/_/", "/_/ready", "/_/metrics"])
def test_every_gateway_gives_the_platforms_paths_to_nobody(path: str, order: str) -> None:
    first = next(MATCHES[pattern] for pattern in ORDERS[order] if re.fullmatch(pattern, path))

    assert first["path"] == {"type": "ReplaceFullPath", "replaceFullPath": "/not-found"}


def test_the_http_route_has_one_kind_of_match_and_no_two_of_one_length() -> None:
    kinds = {match["path"]["type"] for rule in only("HTTPRoute")["spec"]["rules"] for match in rule["matches"]}

    assert kinds == {"RegularExpression"}
    assert len({len(pattern) for pattern in MATCHES}) == len(MATCHES)


def test_gateways_inside_the_cluster_limit_bodies_as_nginx_does() -> None:
    (patch,) = only("EnvoyFilter")["spec"]["configPatches"]

    assert only("BackendTrafficPolicy")["spec"]["requestBuffer"] == {"limit": "1024Ki"}
    assert patch["patch"]["value"]["typed_config"]["max_request_bytes"] == 1024 * 1024
    assert "client_max_body_size 1m;" in FILES["gateway/nginx.conf"]


def test_a_site_has_its_own_images_namespace_and_names() -> None:
    variables = {"IMAGE_PREFIX": "registry.test/ha", "IMAGE_TAG": "7", "NAMESPACE": "prod", "API_HOST": "ha.test"}
    files = render(replace(SITE, variables=variables))

    assert "image: registry.test/ha/sweep:7" in files["knative/services.yaml"]
    assert "/prod/instance-ha" in files["knative/settings.yaml"]
    assert "ha.test" in files["gateway/httproute.yaml"] and "server_name ha.test;" in files["gateway/nginx.conf"]
    assert all("masakari-functions" not in text and "namespace: instance-ha" not in text for text in files.values())


def test_new_functions_of_stack_yml_are_rendered_without_further_ado() -> None:
    sweep = next(f for f in SITE.functions if f.name == "sweep")
    more = replace(
        sweep, name="watch", annotations={k: v for k, v in sweep.annotations.items() if "dead-letters" not in k}
    )
    files = render(Site((*SITE.functions, more), SITE.settings))

    assert [o["metadata"]["name"] for o in yaml.safe_load_all(files["knative/clocks.yaml"])][-1] == "watch"
    assert "watch" in files["knative/network-policy.yaml"]


def test_the_command_writes_a_site_elsewhere_and_checks_ours(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.render"]
    for options in (["--to", str(tmp_path)], ["--check"]):
        done = subprocess.run([*command, *options], cwd=repository(), capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    assert {str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*")} == set(FILES)
