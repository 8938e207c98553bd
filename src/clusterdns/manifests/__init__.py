"""A cluster made of files: the objects of a folder of manifests, as the API would show them, no cluster needed.

    read_manifests(paths, files, options)   all objects, and what is wrong with the files
    changes(before, after)                  what the API's watch would have sent between two readings
    fingerprint(paths)                      a cheap value that differs when it is time to read again

What an API server and its controllers would have added is added: addresses, pods, EndpointSlices, namespaces
(docs/directives/kubernetes.md). Pure over the texts of the files; only `files.py` touches the disk.
Knows Kubernetes' objects. Must not know the engine, the Corefile's grammar, or what DNS makes of the objects.
"""

from clusterdns.manifests.files import DISK, Files, files_of_texts, fingerprint
from clusterdns.manifests.load import NOTHING, Loaded, changes, read_manifests

__all__ = ["DISK", "NOTHING", "Files", "Loaded", "changes", "files_of_texts", "fingerprint", "read_manifests"]
