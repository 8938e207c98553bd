"""The feed of a cluster's zone: from manifests, or from the API server."""

from __future__ import annotations

from clusterdns.control.feeds import Feed, NoFeedError, Surroundings
from clusterdns.directives import block
from clusterdns.records.options import ClusterOptions

OPTIONS = ClusterOptions


def new_feed(wanted: block.Feed, around: Surroundings) -> Feed:
    """The feed that these options ask for. Raises `NoFeedError` where there is no cluster to ask."""
    options = wanted.options
    assert isinstance(options, ClusterOptions)
    # Whoever has a cluster needs no YAML, and whoever has none needs no HTTP and no TLS.
    if options.manifests:
        from clusterdns.control.manifestfeed import ManifestFeed

        return ManifestFeed(wanted.zone, options, around.own_addresses(wanted.zone), around.origins)
    from clusterdns.control.apifeed import ApiFeed
    from clusterdns.kube.access import NoClusterError, check_there_is_a_cluster

    try:
        check_there_is_a_cluster(options.api)
    except NoClusterError as why:
        raise NoFeedError(str(why)) from why
    return ApiFeed(wanted.zone, options, around.own_addresses(wanted.zone), around.origins, around.wake, metrics=around.metrics)
