//! From a relative name to what answers it: the name itself, a member, a port, a wildcard, or a synthesised address.

use std::net::IpAddr;
use std::sync::Arc;

use smallvec::SmallVec;

use super::Zone;
use super::node::{Node, address_of_dashes};

/// What a name turned out to be.
pub enum Found<'n> {
    /// The name holds data itself, or a wildcard does for it.
    Owner(Arc<Node>),
    /// A member of the node's set, perhaps several of one label.
    Members(Arc<Node>, SmallVec<[u32; 4]>),
    /// The node's set, seen through a port; an empty name or protocol is any.
    Ports(Arc<Node>, PortFilter<'n>),
    /// An address that the node synthesises.
    Synthesised(Arc<Node>, IpAddr),
}

/// Which ports are meant.
#[derive(Clone, Copy)]
pub struct PortFilter<'n> {
    /// Name without underscore, lower case; empty: any.
    pub name: &'n [u8],
    /// Protocol without underscore, lower case; empty: any.
    pub protocol: &'n [u8],
}

/// Every port.
pub const ANY_PORT: PortFilter<'static> = PortFilter { name: b"", protocol: b"" };

impl Found<'_> {
    /// The node that answers.
    pub fn node(&self) -> &Node {
        match self {
            Found::Owner(node) | Found::Members(node, _) | Found::Ports(node, _) | Found::Synthesised(node, _) => node,
        }
    }
}

/// Looks a relative name (lower case) up. `bare_ports`: underscores of port and protocol may be missing.
pub fn find<'n>(zone: &Zone, relative: &'n [u8], bare_ports: bool) -> Option<Found<'n>> {
    if let Some(node) = zone.node(relative) {
        return Some(Found::Owner(node));
    }
    let (first, parent) = split(relative)?;
    if let Some(node) = zone.node(parent) {
        if let Some(set) = node.set.as_deref() {
            let members = set.labelled(first);
            if !members.is_empty() {
                return Some(Found::Members(node, members));
            }
        } else if node.synthesis.is_some()
            && let Some(address) = address_of_dashes(first)
        {
            return Some(Found::Synthesised(node, address.to_canonical()));
        }
    }
    if let Some((second, grandparent)) = split(parent)
        && (bare_ports || first.starts_with(b"_") || second.starts_with(b"_"))
        && let Some(node) = zone.node(grandparent)
        && node.set.as_deref().is_some_and(|set| !set.alone)
    {
        let filter = PortFilter { name: strip_underscore(first), protocol: strip_underscore(second) };
        return Some(Found::Ports(node, filter));
    }
    if zone.has_wildcards() { find_wildcard(zone, parent) } else { None }
}

/// The closest `*` at or above `parent` (RFC 4592); at most 127 steps.
fn find_wildcard<'n>(zone: &Zone, mut parent: &[u8]) -> Option<Found<'n>> {
    loop {
        let wildcard = [b"\x01*", parent].concat();
        if let Some(node) = zone.node(&wildcard) {
            return Some(Found::Owner(node));
        }
        (_, parent) = split(parent)?;
    }
}

/// A relative name's first label, and the rest.
pub(super) fn split(relative: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, tail) = relative.split_first()?;
    tail.split_at_checked(length as usize)
}

fn strip_underscore(label: &[u8]) -> &[u8] {
    label.strip_prefix(b"_").unwrap_or(label)
}
