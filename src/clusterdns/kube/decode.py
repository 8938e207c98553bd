"""What the API server says, line by line and page by page, as views and marks.

One pass over the bytes for an object that makes sense, which is nearly each; a second, careful one for those that do not.
Knows the shapes of lists and watch events. No I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec

from clusterdns.cluster import (
    Api,
    ApiEndpointSlice,
    ApiMetadata,
    ApiNamespace,
    ApiPod,
    ApiService,
    ApiServiceImport,
    Ref,
    View,
    endpoint_slice_view,
    namespace_view,
    pod_view,
    service_import_view,
    service_view,
)
from clusterdns.records.labels import pod_labels
from clusterdns.records.options import ClusterOptions

Object = TypeVar("Object")


class Upsert(msgspec.Struct, frozen=True, gc=False):
    """An object that is new, has changed, or is told of once more. `triggered`: when its last change began, if it says so (RFC 3339)."""

    view: View
    triggered: str = ""


class Delete(msgspec.Struct, frozen=True, gc=False):
    """An object that is gone."""

    ref: Ref


class Flaw(msgspec.Struct, frozen=True, gc=False):
    """An object that makes no sense, and why; `ref` is None where not even its name can be read."""

    ref: Ref | None
    message: str


class Bookmark(msgspec.Struct, frozen=True, gc=False):
    """All up to this version has been told. `ends_initial`: what there was at the beginning has been told, too."""

    ends_initial: bool


class Status(Api, frozen=True):
    """Why the API server refused, in its own words."""

    code: int = 0
    reason: str = ""
    message: str = ""
    metadata: StatusMetadata | None = None
    details: StatusDetails | None = None

    @property
    def retry_after(self) -> float:
        """How many seconds it asks to wait."""
        return float(self.details.retry_after_seconds) if self.details else 0.0


class StatusMetadata(Api, frozen=True):
    """`metadata` of a Status: a list that has expired can be gone on with, inconsistently."""

    continue_: str = msgspec.field(name="continue", default="")


class StatusDetails(Api, frozen=True):
    """`details` of a Status."""

    retry_after_seconds: int = 0


Event = Upsert | Delete | Flaw | Bookmark | Status


class Page(msgspec.Struct, frozen=True, gc=False):
    """A part of a list: its objects, the version of all of it, and where the next part begins (empty: this is the last)."""

    events: tuple[Upsert | Flaw, ...]
    version: str
    next: str


class Unreadable(ValueError):
    """A line or page that is not what an API server says."""


class Decoder:
    """Reads one kind. What the options have no use for is not kept."""

    def __init__(self, kind: str, options: ClusterOptions = ClusterOptions()) -> None:  # noqa: B008
        self._kind = kind
        object_type, self._view = _shapes(options)[kind]
        self._line = msgspec.json.Decoder(_Line[object_type])  # type: ignore[valid-type]
        self._object = msgspec.json.Decoder(object_type)
        self._page = msgspec.json.Decoder(_List[object_type])  # type: ignore[valid-type]

    def line(self, line: bytes) -> tuple[str, Event]:
        """The version and meaning of a line of a watch. Raises `Unreadable`."""
        try:
            found: Any = self._line.decode(line)
        except (msgspec.MsgspecError, RecursionError) as problem:
            return self._careful_line(line, problem)
        if found.type in _UPSERTS or found.type == "DELETED":
            metadata = found.object.metadata
            if found.type == "DELETED":
                return metadata.resource_version, Delete(self._ref(metadata))
            return metadata.resource_version, self._upsert(found.object)
        return self._careful_line(line, None)

    def page(self, body: bytes) -> Page:
        """The meaning of one page of a list. Raises `Unreadable`."""
        try:
            found: Any = self._page.decode(body)
            events = tuple([self._upsert(item) for item in found.items or ()])
        except (msgspec.MsgspecError, RecursionError):
            try:
                found = _RAW_LIST.decode(body)
            except (msgspec.MsgspecError, RecursionError) as problem:
                raise Unreadable(f"not a list: {problem}") from problem
            events = tuple(self._careful_items(found.items or ()))
        return Page(events, found.metadata.resource_version, found.metadata.continue_)

    def _upsert(self, api: Any) -> Upsert | Flaw:
        metadata = api.metadata
        if not metadata.name:
            return Flaw(None, f"{self._kind} without a name")
        return Upsert(self._view(api), metadata.annotations.triggered if metadata.annotations else "")

    def _ref(self, metadata: ApiMetadata) -> Ref:
        return Ref(self._kind, metadata.namespace or "", metadata.name)

    def _careful_items(self, items: tuple[msgspec.Raw, ...]) -> Iterator[Upsert | Flaw]:
        for item in items:
            try:
                yield self._upsert(self._object.decode(item))
            except (msgspec.MsgspecError, RecursionError) as problem:
                yield self._flaw(item, problem)[1]

    def _careful_line(self, line: bytes, problem: Exception | None) -> tuple[str, Event]:
        """A line that is no object, or one that makes no sense."""
        try:
            found = _ENVELOPE.decode(line)
            if found.type == "ERROR":
                return "", _STATUS.decode(found.object)
            if found.type == "BOOKMARK":
                metadata = _ANY_OBJECT.decode(found.object).metadata
                ends = metadata.annotations is not None and metadata.annotations.ends_initial == "true"
                return metadata.resource_version, Bookmark(ends)
        except (msgspec.MsgspecError, RecursionError) as why:
            raise Unreadable(f"not an event of a watch: {why}") from why
        if problem is None:
            raise Unreadable(f"an event of an unknown type: {found.type}")
        version, flaw = self._flaw(found.object, problem)
        return version, Delete(flaw.ref) if found.type == "DELETED" and flaw.ref else flaw

    def _flaw(self, item: msgspec.Raw, problem: Exception) -> tuple[str, Flaw]:
        """Why an object cannot be used, with its version; an object without these in order has none."""
        try:
            metadata = _ANY_OBJECT.decode(item).metadata
        except (msgspec.MsgspecError, RecursionError):
            return "", Flaw(None, str(problem))
        return metadata.resource_version, Flaw(self._ref(metadata) if metadata.name else None, str(problem))


def status_of(body: bytes) -> Status:
    """The Status in the body of a refusal; bodies of proxies are something else, and give an empty one."""
    try:
        return _STATUS.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return Status()


def list_version(body: bytes) -> str:
    """The version that a list was made at. Raises `Unreadable`."""
    try:
        return _RAW_LIST.decode(body).metadata.resource_version
    except (msgspec.MsgspecError, RecursionError) as problem:
        raise Unreadable(f"not a list: {problem}") from problem


class _Line(msgspec.Struct, Generic[Object], frozen=True, gc=False):
    """An event of a watch."""

    type: str
    object: Object


class _Envelope(msgspec.Struct, frozen=True, gc=False):
    """An event of a watch whose object is looked at later."""

    type: str
    object: msgspec.Raw


class _ListMetadata(Api, frozen=True):
    """`metadata` of a list."""

    resource_version: str = ""
    continue_: str = msgspec.field(name="continue", default="")


class _List(msgspec.Struct, Generic[Object], frozen=True, gc=False):
    """A list, or a page of one."""

    metadata: _ListMetadata
    items: tuple[Object, ...] | None = None


class _AnyObject(Api, frozen=True):
    """What all objects have."""

    metadata: ApiMetadata


def _shapes(options: ClusterOptions) -> dict[str, tuple[Any, Callable[[Any], View]]]:
    """The shape of each kind, and what becomes of it: pods' names, zones and labels are kept only if somebody asks for them."""
    pods, zones, imported = options.endpoint_pod_names, options.zonal, options.multicluster
    slice_view = partial(endpoint_slice_view, pods=pods, zones=zones, imported=imported)
    return {
        "Namespace": (ApiNamespace, namespace_view),
        "Service": (ApiService, service_view),
        "ServiceImport": (ApiServiceImport, service_import_view),
        "EndpointSlice": (ApiEndpointSlice, slice_view),
        "Pod": (ApiPod, partial(pod_view, labels=pod_labels(options.client_labels) if options.client_labels else None)),
    }


_UPSERTS = ("ADDED", "MODIFIED")
_ENVELOPE = msgspec.json.Decoder(_Envelope)
_STATUS = msgspec.json.Decoder(Status)
_ANY_OBJECT = msgspec.json.Decoder(_AnyObject)
_RAW_LIST = msgspec.json.Decoder(_List[msgspec.Raw])
