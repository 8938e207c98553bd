"""The Kubernetes API as a source: what a cluster is, followed live.

    resources.watched(options)          which kinds are listed and watched, with which selectors
    access.find_access(options)         where the API server is and who we are: in-cluster, endpoint, kubeconfig
    api.Api                             requests to it; all HTTP is there
    decode.Decoder                      JSON to views and marks
    reflector.Reflector                 one kind as a stream of events, whatever the server does
    status.Seen                         what a reflector has seen, as plain values

Knows the Kubernetes API. Must not know DNS records, the engine, or the Corefile's grammar.
"""
