"""Which kinds are listed and watched."""

from clusterdns.kube.resources import LIVING_PODS, Resource, watched
from clusterdns.records.options import ClusterOptions


def test_B4_services_slices_and_namespaces_are_watched() -> None:
    assert [resource.path for resource in watched(ClusterOptions())] == [
        "/api/v1/namespaces",
        "/api/v1/services",
        "/apis/discovery.k8s.io/v1/endpointslices",
    ]


def test_B4_pods_only_where_they_are_verified() -> None:
    assert "pods" not in {resource.plural for resource in watched(ClusterOptions(pods="insecure"))}
    assert watched(ClusterOptions(pods="verified"))[-1] == Resource("Pod", "pods", fields=LIVING_PODS)


def test_noendpoints_watches_no_slices() -> None:
    assert [resource.kind for resource in watched(ClusterOptions(noendpoints=True))] == ["Namespace", "Service"]


def test_N2_N3_selectors_go_to_the_kinds_that_they_are_for() -> None:
    options = ClusterOptions(pods="verified", labels="app=web", namespace_labels="team in (a,b)")
    labels = {resource.kind: resource.labels for resource in watched(options)}
    assert labels == {"Namespace": "team in (a,b)", "Service": "app=web", "EndpointSlice": "app=web", "Pod": "app=web"}
    assert watched(options)[0].selectors == "&labelSelector=team%20in%20%28a%2Cb%29"


def test_B4_M1_imports_and_their_slices_are_watched_in_the_place_of_services() -> None:
    kinds = watched(ClusterOptions(multicluster=True, pods="verified"))
    assert [(resource.path, resource.labels) for resource in kinds] == [
        ("/api/v1/namespaces", ""),
        ("/apis/multicluster.x-k8s.io/v1alpha1/serviceimports", ""),
        ("/apis/discovery.k8s.io/v1/endpointslices", "multicluster.kubernetes.io/service-name"),
        ("/api/v1/pods", ""),
    ]
    assert [resource.kind for resource in kinds if resource.optional] == ["ServiceImport"]


def test_N4_imports_are_selected_like_namespaces() -> None:
    options = ClusterOptions(multicluster=True, labels="app=web", namespace_labels="team=a")
    labels = {resource.kind: resource.labels for resource in watched(options)}
    assert labels == {
        "Namespace": "team=a",
        "ServiceImport": "team=a",
        "EndpointSlice": "app=web,multicluster.kubernetes.io/service-name",
    }


def test_the_rule_that_is_needed_can_be_pasted() -> None:
    assert watched(ClusterOptions())[2].rule == '{apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"]}'
