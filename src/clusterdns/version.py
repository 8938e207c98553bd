"""The versions that the commands, the metrics and the logs tell."""

VERSION = "0.1.0"

COREDNS = "1.14.7"
"""The CoreDNS whose behaviour this one has."""
