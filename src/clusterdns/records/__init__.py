"""The Kubernetes DNS specification as pure functions: from API objects and options to the owners of a zone.

    services.service_owners       one Service and its slices
    namespaces.namespace_owners   one namespace
    pods.pod_owners               one pod address in one namespace
    apex.apex_owners              the zone itself, its name servers and `dns-version`

Each of them needs the objects of one key and the options, and nothing else: whatever happens, recomputing the keys that an event
touches gives the same as computing everything anew. A change is one that matters, and raises the serial, when an owner that it
gives is unequal to the one before (S9); an event that changes no answer changes no owner.
Names are relative to the zone (`cart.shop.svc`), so it does not matter here how many zones serve them.
Knows the API's objects and the zone's primitives. No I/O, no clock, no engine, no Corefile.
"""
