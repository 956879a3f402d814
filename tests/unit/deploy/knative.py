"""The parts of Knative's and the Gateway API's objects that we use, as strict as their API servers.

Their schemas are in no package that can be had here: written after knative.dev/docs (serving and eventing 1.22) and
gateway-api.sigs.k8s.io (v1). An unknown field is an error, as with ``kubectl apply --validate=strict``.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

Name = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
Text = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class Metadata(Strict):
    name: Name | None = None
    namespace: Name | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class SecurityContext(Strict):
    """The fields that Serving takes without feature flags."""

    run_as_non_root: bool
    run_as_user: int
    read_only_root_filesystem: bool
    allow_privilege_escalation: Literal[False]
    capabilities: dict[Literal["drop"], list[str]]
    seccomp_profile: dict[Literal["type"], Literal["RuntimeDefault"]]


class HttpGet(Strict):
    path: str


class Probe(Strict):
    http_get: HttpGet
    timeout_seconds: int = Field(1, ge=1)


class LivenessProbe(Probe):
    period_seconds: int = Field(ge=1)
    failure_threshold: int = Field(3, ge=1)


class StartupProbe(LivenessProbe):
    """Serving fills in the port of the other two only; without one the API server refuses every pod."""

    class WithPort(HttpGet):
        port: int = Field(ge=1)

    http_get: WithPort


class Container(Strict):
    image: Text
    ports: list[dict[Literal["containerPort"], int]] = Field(max_length=1)
    env: list[dict[Literal["name", "value"], str]]
    env_from: list[dict[Literal["configMapRef"], dict[Literal["name"], str]]]
    resources: dict[Literal["limits", "requests"], dict[Literal["cpu", "memory"], str]]
    startup_probe: StartupProbe | None = None
    readiness_probe: Probe  # a period would replace Knative's own fast probing
    liveness_probe: LivenessProbe
    security_context: SecurityContext
    volume_mounts: list[dict[str, Any]]


class RevisionSpec(Strict):
    service_account_name: Name
    container_concurrency: int = Field(ge=0, le=1000)
    timeout_seconds: int = Field(ge=1, le=600)
    containers: list[Container] = Field(min_length=1, max_length=1)
    volumes: list[dict[str, Any]]

    @model_validator(mode="after")
    def mounted(self) -> "RevisionSpec":
        named = {volume["name"] for volume in self.volumes}
        assert {mount["name"] for mount in self.containers[0].volume_mounts} == named
        kinds = {key for volume in self.volumes for key in volume} - {"name"}
        assert kinds <= {"secret", "configMap", "projected", "emptyDir"}
        return self


class Template(Strict):
    metadata: Metadata
    spec: RevisionSpec


class ServiceSpec(Strict):
    template: Template


class Service(Strict):
    api_version: Literal["serving.knative.dev/v1"]
    kind: Literal["Service"]
    metadata: Metadata
    spec: ServiceSpec


class Reference(Strict):
    api_version: Text
    kind: Text
    name: Name


class Destination(Strict):
    ref: Reference
    uri: Annotated[str, Field(pattern="^/")] | None = None


class Delivery(Strict):
    timeout: str = Field(pattern=r"^PT\d+(\.\d+)?S$")
    retry: int = Field(ge=0)
    backoff_policy: Literal["linear", "exponential"]
    backoff_delay: str = Field(pattern=r"^PT\d+(\.\d+)?S$")
    dead_letter_sink: Destination


class TriggerSpec(Strict):
    broker: Name
    filter: dict[Literal["attributes"], dict[str, str]]
    subscriber: Destination
    delivery: Delivery


class Trigger(Strict):
    api_version: Literal["eventing.knative.dev/v1"]
    kind: Literal["Trigger"]
    metadata: Metadata
    spec: TriggerSpec


class Broker(Strict):
    api_version: Literal["eventing.knative.dev/v1"]
    kind: Literal["Broker"]
    metadata: Metadata
    spec: dict[str, Any] = Field(max_length=0)


class PingSpec(Strict):
    schedule: Text
    timezone: Text
    content_type: Text
    data: str
    sink: Destination


class PingSource(Strict):
    api_version: Literal["sources.knative.dev/v1"]
    kind: Literal["PingSource"]
    metadata: Metadata
    spec: PingSpec


class PathMatch(Strict):
    type: Literal["Exact", "PathPrefix", "RegularExpression"]
    value: Annotated[str, Field(max_length=1024)]


class Match(Strict):
    path: PathMatch


class Header(Strict):
    name: Text
    value: Text


class HeaderModifier(Strict):
    set: list[Header]
    remove: list[str]


class PathRewrite(Strict):
    type: Literal["ReplaceFullPath"]
    replace_full_path: str


class Rewrite(Strict):
    hostname: str = Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)*$", max_length=253)
    path: PathRewrite | None = None


class Filter(Strict):
    type: Literal["RequestHeaderModifier", "URLRewrite"]
    request_header_modifier: HeaderModifier | None = None
    url_rewrite: Rewrite | None = None


class Backend(Strict):
    name: Name
    namespace: Name
    port: int


class Rule(Strict):
    matches: list[Match]
    filters: list[Filter] = Field(max_length=16)
    backend_refs: list[Backend]
    timeouts: dict[Literal["request"], str]


class RouteSpec(Strict):
    parent_refs: list[dict[Literal["name", "namespace"], str]]
    hostnames: list[str]
    rules: list[Rule] = Field(max_length=16)


class HTTPRoute(Strict):
    api_version: Literal["gateway.networking.k8s.io/v1"]
    kind: Literal["HTTPRoute"]
    metadata: Metadata
    spec: RouteSpec


class Target(Strict):
    group: Literal["gateway.networking.k8s.io"]
    kind: Literal["HTTPRoute"]
    name: Name


class RequestBuffer(Strict):
    limit: str = Field(pattern=r"^[1-9][0-9]*(Ki|Mi)?$")


class TrafficSpec(Strict):
    target_refs: list[Target] = Field(min_length=1)
    request_buffer: RequestBuffer


class BackendTrafficPolicy(Strict):
    """Of Envoy Gateway."""

    api_version: Literal["gateway.envoyproxy.io/v1alpha1"]
    kind: Literal["BackendTrafficPolicy"]
    metadata: Metadata
    spec: TrafficSpec


class ConfigPatch(Strict):
    apply_to: Literal["HTTP_FILTER"]
    match: dict[Literal["context", "listener"], Any]
    patch: dict[Literal["operation", "value"], Any]


class EnvoyFilterSpec(Strict):
    workload_selector: dict[Literal["labels"], dict[str, str]]
    config_patches: list[ConfigPatch]


class EnvoyFilter(Strict):
    """Of Istio; the pods of the Gateway that it is for are in its own namespace."""

    api_version: Literal["networking.istio.io/v1alpha3"]
    kind: Literal["EnvoyFilter"]
    metadata: Metadata
    spec: EnvoyFilterSpec


class GrantSpec(Strict):
    from_: list[dict[Literal["group", "kind", "namespace"], str]] = Field(alias="from")
    to: list[dict[Literal["group", "kind", "name"], str]]


class ReferenceGrant(Strict):
    api_version: Literal["gateway.networking.k8s.io/v1beta1"]
    kind: Literal["ReferenceGrant"]
    metadata: Metadata
    spec: GrantSpec


KINDS: dict[str, type[Strict]] = {
    kind.__name__: kind
    for kind in (
        Service,
        Trigger,
        Broker,
        PingSource,
        HTTPRoute,
        ReferenceGrant,
        BackendTrafficPolicy,
        EnvoyFilter,
    )
}
