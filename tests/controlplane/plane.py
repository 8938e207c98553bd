"""A real control plane on loopback: etcd and kube-apiserver, and the controllers where a test wants them.

Binaries: those in KUBEBUILDER_ASSETS, else one built from `program/` and kept in the user's cache. Everything else is made anew
in a directory of its own, on free ports, and ends with it. Needs Go (for the build) and openssl.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from time import monotonic
from typing import Any

from tests.controlplane.binary import Unavailable, built
from tests.controlplane.objects import service_import_crd
from tests.servers import free_port

PATIENCE = 60.0
ADMIN, DNS, NOBODY = "admin-token", "dns-token", "nobody-token"
CORE = "/api/v1"
GROUPS = {"EndpointSlice": "/apis/discovery.k8s.io/v1", "ServiceImport": "/apis/multicluster.x-k8s.io/v1alpha1"}
CONTROLLERS = "endpointslice-controller,namespace-controller,serviceaccount-controller,garbage-collector-controller"

NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")

# What CoreDNS's own manifests give it, and so what a drop-in has; and what `multicluster` needs.
RULES = [
    {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": ["list", "watch"]},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    {"apiGroups": ["multicluster.x-k8s.io"], "resources": ["serviceimports"], "verbs": ["list", "watch"]},
]

Object = dict[str, Any]


def programs() -> dict[str, list[str]]:
    """The command of each program. Builds them if need be. Raises `Unavailable`."""
    if assets := os.environ.get("KUBEBUILDER_ASSETS"):
        found = {name: [str(Path(assets) / name)] for name in ("etcd", "kube-apiserver", "kube-controller-manager")}
        missing = [name for name in ("etcd", "kube-apiserver") if not Path(found[name][0]).exists()]
        if missing:
            raise Unavailable(f"KUBEBUILDER_ASSETS={assets} has no {' and no '.join(missing)}")
        return {name: command for name, command in found.items() if Path(command[0]).exists()}
    binary = built()
    return {name: [str(binary), name] for name in ("etcd", "kube-apiserver", "kube-controller-manager")}


@contextmanager
def running(directory: Path, *, controllers: bool = False) -> Iterator[ControlPlane]:
    """A control plane with nothing in it but the rights of a DNS server. Raises `Unavailable`."""
    plane = ControlPlane(directory, programs())
    try:
        plane.start()
        if controllers:
            plane.start_controllers()
        yield plane
    finally:
        plane.stop()


class ControlPlane:
    """The processes, and requests to them as the administrator."""

    def __init__(self, directory: Path, commands: dict[str, list[str]]) -> None:
        self.directory = directory
        self._commands = commands
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._leaving: list[subprocess.Popen[bytes]] = []
        self.port = free_port()
        self._etcd_port, self._peer_port = free_port(), free_port()
        self._context: ssl.SSLContext

    @property
    def url(self) -> str:
        """Where the API server is."""
        return f"https://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts etcd and the API server, and gives a DNS server its rights."""
        self._make_keys()
        self._context = ssl.create_default_context(cafile=str(self.directory / "ca.crt"))
        self.start_etcd()
        self.start_api_server()
        role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "dns"}, "rules": RULES}
        users = [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": name} for name in ("dns", "dns-by-certificate")]
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "dns"}
        binding = {**role, "kind": "ClusterRoleBinding", "roleRef": reference, "subjects": users}
        del binding["rules"]
        for plural, thing in (("clusterroles", role), ("clusterrolebindings", binding)):
            self.request("POST", f"/apis/rbac.authorization.k8s.io/v1/{plural}", thing)

    def start_etcd(self) -> None:
        """Starts etcd on what it held before."""
        client, peer = f"http://127.0.0.1:{self._etcd_port}", f"http://127.0.0.1:{self._peer_port}"
        self._launch(
            "etcd",
            *("--name=etcd", f"--data-dir={self.directory / 'etcd'}", "--unsafe-no-fsync", "--log-level=error"),
            *(f"--listen-client-urls={client}", f"--advertise-client-urls={client}"),
            *(f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=etcd={peer}"),
        )

    def start_api_server(self) -> None:
        """Starts the API server and returns when it is ready."""
        keys = self.directory
        self._launch(
            "kube-apiserver",
            *("--bind-address=127.0.0.1", f"--secure-port={self.port}", "--advertise-address=172.18.0.2"),
            *(f"--etcd-servers=http://127.0.0.1:{self._etcd_port}", f"--client-ca-file={keys / 'ca.crt'}"),
            *(f"--tls-cert-file={keys / 'server.crt'}", f"--tls-private-key-file={keys / 'server.key'}"),
            *(f"--token-auth-file={keys / 'tokens.csv'}", "--authorization-mode=RBAC"),
            *("--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={keys / 'account.key'}"),
            f"--service-account-signing-key-file={keys / 'account.key'}",
            "--service-cluster-ip-range=10.96.0.0/16,fd00:96::/112",
            # Without controllers nobody makes the accounts that this one waits for.
            "--disable-admission-plugins=ServiceAccount",
        )
        self.wait_until_ready()

    def start_controllers(self) -> None:
        """Starts the controllers that make EndpointSlices, and remove namespaces."""
        if "kube-controller-manager" not in self._commands:
            raise Unavailable("KUBEBUILDER_ASSETS has no kube-controller-manager")
        kubeconfig = self.kubeconfig("controllers", ADMIN)
        self._launch(
            "kube-controller-manager",
            *(f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--secure-port=0", f"--controllers={CONTROLLERS}"),
            "--kube-api-qps=1000",
            "--kube-api-burst=1000",
        )

    def wait_until_ready(self) -> None:
        """Waits for the API server's /readyz."""
        until = monotonic() + PATIENCE
        while monotonic() < until:
            if self._processes["kube-apiserver"].poll() is not None:
                raise Unavailable(f"the API server does not run: {(self.directory / 'kube-apiserver.log').read_text()[-1000:]}")
            try:
                if self.request("GET", "/readyz", expected=None)[0] == 200:
                    return
            except (OSError, HTTPException):
                continue
        raise Unavailable("the API server did not become ready")

    def end(self, name: str, how: signal.Signals = signal.SIGTERM, *, wait: bool = True) -> None:
        """Ends a process. An API server with open watches takes a minute to follow a SIGTERM."""
        process = self._processes.pop(name)
        process.send_signal(how)
        if wait:
            process.wait()
        else:
            self._leaving.append(process)

    def stop(self) -> None:
        """Ends all."""
        for process in (*self._processes.values(), *self._leaving):
            process.kill()
            process.wait()

    def define_service_imports(self) -> None:
        """Installs the CRD, and returns when its objects can be made."""
        self.request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", service_import_crd())
        path = f"{GROUPS['ServiceImport']}/serviceimports"
        until = monotonic() + PATIENCE
        while self.request("GET", path, expected=None)[0] != 200:
            if monotonic() > until:
                raise Unavailable("the API server does not take up the CRD")

    def remove_service_imports(self) -> None:
        """Removes the CRD, and all objects of the kind with it; returns when they are gone."""
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{service_import_crd()['metadata']['name']}"
        self.request("DELETE", path)
        until = monotonic() + PATIENCE
        while self.request("GET", path, expected=None)[0] != 404:
            if monotonic() > until:
                raise Unavailable("the API server does not let go of the CRD")

    def compact(self) -> None:
        """Makes etcd forget what was: no old version can be gone on from."""
        version = int(self.request("GET", f"{CORE}/namespaces?limit=1")[1]["metadata"]["resourceVersion"])
        self._etcd("/v3/kv/compaction", {"revision": str(version), "physical": True})

    def kubeconfig(self, name: str, token: str = DNS, user: Object | None = None, **cluster: str) -> Path:
        """A kubeconfig for a user. `cluster`: more of what it says about the API server."""
        about = {word.replace("_", "-"): value for word, value in cluster.items()}
        ca = base64.b64encode((self.directory / "ca.crt").read_bytes()).decode()
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": self.url, "certificate-authority-data": ca} | about}],
            "users": [{"name": "u", "user": user or {"token": token}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "c",
        }
        path = self.directory / f"{name}.kubeconfig"
        path.write_text(json.dumps(content))
        return path

    def by_certificate(self) -> Path:
        """A kubeconfig with a client certificate."""
        files = {f"client-{part}": str(self.directory / f"client.{end}") for part, end in (("certificate", "crt"), ("key", "key"))}
        return self.kubeconfig("certificate", user=files)

    def request(
        self, method: str, path: str, body: Object | None = None, expected: tuple[int, ...] | None = (200, 201)
    ) -> tuple[int, Object]:
        """Asks the API server as its administrator. `expected` None: any answer will do."""
        status, text = self._ask(method, path, body)
        found = json.loads(text) if text.startswith(b"{") else {"text": text.decode(errors="replace")}
        assert expected is None or status in expected, f"{method} {path}: {status} {found}"
        return status, found

    def text(self, path: str) -> bytes:
        """What is there, as it comes."""
        status, text = self._ask("GET", path, None)
        assert status == 200, f"{path}: {status} {text[:500]!r}"
        return text

    def _ask(self, method: str, path: str, body: Object | None) -> tuple[int, bytes]:
        connection = HTTPSConnection("127.0.0.1", self.port, context=self._context, timeout=PATIENCE)
        try:
            patch = "application/merge-patch+json" if method == "PATCH" else "application/json"
            headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": patch}
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def put(self, thing: Object) -> None:
        """Makes an object, or changes it."""
        path, name = self._path(thing), thing["metadata"]["name"]
        if self.request("PATCH", f"{path}/{name}", thing, expected=(200, 404))[0] == 404:
            self.request("POST", path, thing)
        if thing["kind"] == "Pod" and thing.get("status"):
            self.request("PATCH", f"{path}/{name}/status", {"status": thing["status"]})

    def delete(self, thing: Object) -> None:
        """Deletes an object."""
        path = f"{self._path(thing)}/{thing['metadata']['name']}?gracePeriodSeconds=0"
        self.request("DELETE", path, expected=(200, 202, 404))
        if thing["kind"] == "Namespace":
            # Nobody else takes the last step when no controllers run.
            name = thing["metadata"]["name"]
            self.request("PUT", f"{CORE}/namespaces/{name}/finalize", {**thing, "spec": {"finalizers": []}}, expected=(200, 404, 409))

    def _path(self, thing: Object) -> str:
        kind, namespace = thing["kind"], thing["metadata"].get("namespace")
        group = GROUPS.get(kind, CORE)
        return f"{group}/namespaces/{namespace}/{kind.lower()}s" if namespace else f"{group}/{kind.lower()}s"

    def _etcd(self, path: str, body: Object) -> None:
        from http.client import HTTPConnection

        connection = HTTPConnection("127.0.0.1", self._etcd_port, timeout=PATIENCE)
        connection.request("POST", path, json.dumps(body))
        response = connection.getresponse()
        assert response.status == 200, response.read()
        connection.close()

    def _launch(self, name: str, *flags: str) -> None:
        with (self.directory / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen([*self._commands[name], *flags], stdout=log, stderr=log, cwd=self.directory)

    def _make_keys(self) -> None:
        """A CA, a server's and a client's certificate, and a key for accounts."""
        if shutil.which("openssl") is None:
            raise Unavailable("there is no openssl to make certificates with")
        names = "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"
        tokens = [(ADMIN, "admin", '"system:masters"'), (DNS, "dns", ""), (NOBODY, "nobody", "")]
        (self.directory / "tokens.csv").write_text("".join(f"{token},{user},{user}-uid,{groups}\n" for token, user, groups in tokens))
        self.make_authority("ca")
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "account.key")
        for name, subject, extensions in (
            ("server", "kube-apiserver", names),
            ("client", "dns-by-certificate", "extendedKeyUsage=clientAuth\n"),
        ):
            (self.directory / f"{name}.ext").write_text(extensions)
            self._openssl("req", *NEW_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={subject}")
            signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext"]
            self._openssl("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.crt", *signing)

    def make_authority(self, name: str) -> Path:
        """A certificate authority of its own; the path of its certificate."""
        ca = ["-subj", f"/CN=test-{name}", "-addext", "keyUsage=critical,keyCertSign"]
        self._openssl("req", "-x509", *NEW_KEY, "-keyout", f"{name}.key", "-out", f"{name}.crt", "-days", "2", *ca)
        return self.directory / f"{name}.crt"

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.directory, check=True, capture_output=True)
