//! What is known of a query before it is answered: for the conditions of views, and for the log.

use std::fmt::{self, Write};
use std::net::IpAddr;

use crate::client::{Client, Transport};
use crate::name;
use crate::plan::FactName;
use crate::text::{ClassName, TypeName};
use crate::wire::Request;

/// A question, and who asks it.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// Who asks.
    pub client: &'a Client,
    /// The message's id.
    pub id: u16,
    /// Octets of the message.
    pub size: usize,
    /// What is wanted of the name.
    pub request: &'a Request,
    /// The name, in lower case.
    pub name: &'a [u8],
}

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fact {
    /// True or false.
    Truth(bool),
    /// A number.
    Number(i64),
    /// Anything else is written.
    Text,
}

impl Facts<'_> {
    /// One fact; texts are written by [`Facts::write`].
    pub fn get(&self, fact: FactName) -> Fact {
        match fact {
            FactName::Do => Fact::Truth(self.dnssec_ok()),
            FactName::Bufsize => Fact::Number(self.bufsize().into()),
            FactName::Id => Fact::Number(self.id.into()),
            FactName::Opcode => Fact::Number(self.request.opcode.into()),
            FactName::Size => Fact::Number(self.size as i64),
            _ => Fact::Text,
        }
    }

    /// Writes a fact as it is told.
    pub fn write(&self, fact: FactName, out: &mut impl Write) -> fmt::Result {
        match self.get(fact) {
            Fact::Truth(truth) => write!(out, "{truth}"),
            Fact::Number(number) => write!(out, "{number}"),
            Fact::Text => match fact {
                FactName::Class => write!(out, "{}", ClassName(self.request.qclass)),
                FactName::ClientIp => write!(out, "{}", self.client_ip()),
                FactName::Name => write!(out, "{}", name::Display(self.name)),
                FactName::Port => write!(out, "{}", self.client.address.port()),
                FactName::Proto => out.write_str(self.client.transport.name()),
                FactName::ServerIp => write!(out, "{}", self.server_ip()),
                FactName::ServerPort => write!(out, "{}", self.client.local.port()),
                _ => write!(out, "{}", TypeName(self.request.qtype)),
            },
        }
    }

    /// The client's address; IPv4 is IPv4 on sockets of both families too.
    pub fn client_ip(&self) -> IpAddr {
        self.client.address.ip().to_canonical()
    }

    /// The address that was asked.
    pub fn server_ip(&self) -> IpAddr {
        self.client.local.ip().to_canonical()
    }

    /// Whether the client wants DNSSEC records.
    pub fn dnssec_ok(&self) -> bool {
        self.request.edns.is_some_and(|edns| edns.dnssec_ok)
    }

    /// The largest reply that the client takes.
    pub fn bufsize(&self) -> u16 {
        match self.client.transport {
            Transport::Tcp => u16::MAX,
            Transport::Udp => self.request.edns.map_or(512, |edns| edns.size.max(512)),
        }
    }
}

/// What a fact is called.
pub fn name_of(fact: FactName) -> &'static str {
    match fact {
        FactName::Bufsize => "bufsize",
        FactName::Class => "class",
        FactName::ClientIp => "client_ip",
        FactName::Do => "do",
        FactName::Id => "id",
        FactName::Name => "name",
        FactName::Opcode => "opcode",
        FactName::Port => "port",
        FactName::Proto => "proto",
        FactName::ServerIp => "server_ip",
        FactName::ServerPort => "server_port",
        FactName::Size => "size",
        FactName::Type => "type",
    }
}
