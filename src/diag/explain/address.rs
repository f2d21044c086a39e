//! What an address means: whose it is, how far it reaches, who says so.

use std::net::IpAddr;

use serde::Serialize;

use crate::text::Grouped;

/// An IP address, explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AddressFacts {
    /// The address, in its shortest form.
    pub address: IpAddr,
    /// 4 or 6.
    pub version: u8,
    /// What kind it is, in a word or two.
    pub kind: &'static str,
    /// The block of addresses that has this meaning.
    pub block: &'static str,
    /// What that means.
    pub meaning: &'static str,
    /// Who says so.
    pub source: &'static str,
    /// Its bytes in hex, as they stand in a packet.
    pub bytes: String,
    /// The topic that says more.
    pub topic: &'static str,
}

/// Blocks of addresses and what they are for; the first one that holds an address counts, so that the last one
/// of a version is for all the rest. Source: RFC 6890 and IANA's registries of special purposes.
const BLOCKS: &str = include_str!("topics/blocks.txt");

/// Explains an address.
pub(super) fn address(address: IpAddr) -> AddressFacts {
    let mut blocks = BLOCKS.lines().filter_map(|line| line.split(" | ").collect::<Vec<_>>().try_into().ok());
    let [block, kind, meaning, source, topic] = blocks
        .find(|fields: &[&str; 5]| holds(fields[0], address))
        .expect("a test looks into every block, and the last of each version holds all addresses");
    let (version, bytes) = match address {
        IpAddr::V4(v4) => (4, crate::text::hex(&v4.octets())),
        IpAddr::V6(v6) => (6, crate::text::hex(&v6.octets())),
    };
    AddressFacts { address, version, kind, block, meaning, source, bytes, topic }
}

/// True if the address lies in a block such as `10.0.0.0/8`.
fn holds(block: &str, address: IpAddr) -> bool {
    let parts = block.split_once('/').and_then(|(base, bits)| Some((base.parse().ok()?, bits.parse().ok()?)));
    let prefix = |address: u128, free: u32| address.checked_shr(free).unwrap_or(0);
    match (parts, address) {
        (Some((IpAddr::V4(base), bits)), IpAddr::V4(own)) => {
            let free = 32_u32.saturating_sub(bits);
            prefix(u128::from(own.to_bits()), free) == prefix(u128::from(base.to_bits()), free)
        }
        (Some((IpAddr::V6(base), bits)), IpAddr::V6(own)) => {
            let free = 128_u32.saturating_sub(bits);
            prefix(own.to_bits(), free) == prefix(base.to_bits(), free)
        }
        _ => false,
    }
}

/// N players, each with each, or all with one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mesh {
    /// How many take part.
    pub nodes: u64,
    /// Connections of a star: one each, to the server.
    pub star: u64,
    /// Connections of a full mesh: one for each pair.
    pub mesh: u128,
}

impl Mesh {
    /// Counts the connections.
    #[must_use]
    pub fn of(nodes: u64) -> Mesh {
        let n = u128::from(nodes);
        Mesh { nodes, star: nodes, mesh: n * n.saturating_sub(1) / 2 }
    }

    /// The count in a sentence.
    #[must_use]
    pub fn sentence(self) -> String {
        let Mesh { nodes, star, mesh } = self;
        let (nodes, star) = (Grouped(nodes), Grouped(star));
        let mesh = u64::try_from(mesh).map_or_else(|_| mesh.to_string(), |mesh| Grouped(mesh).to_string());
        let before = if self.nodes == 0 { "0".to_owned() } else { Grouped(self.nodes - 1).to_string() };
        format!(
            "{nodes} clients: {star} connections in a star (each to the server), \
             {nodes} * {before} / 2 = {mesh} in a full mesh (each pair once)."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_address_is_told_apart() {
        let cases = [
            ("192.168.1.7", "private"),
            ("10.0.0.1", "private"),
            ("172.31.255.255", "private"),
            ("172.32.0.0", "public"),
            ("8.8.8.8", "public"),
            ("127.1.2.3", "loopback"),
            ("0.0.0.0", "unspecified"),
            ("0.1.2.3", "this network"),
            ("100.127.0.1", "shared"),
            ("169.254.3.4", "link-local"),
            ("192.0.2.1", "documentation"),
            ("224.0.0.251", "multicast"),
            ("255.255.255.255", "broadcast"),
            ("250.0.0.1", "reserved"),
            ("198.19.0.1", "benchmarking"),
            ("::1", "loopback"),
            ("::", "unspecified"),
            ("::ffff:1.2.3.4", "IPv4-mapped"),
            ("fe80::1", "link-local"),
            ("fd12::1", "unique local"),
            ("ff02::1", "multicast"),
            ("2001:db8::5", "documentation"),
            ("2606:4700::1111", "public"),
            ("64:ff9b::808:808", "NAT64"),
            ("::2", "reserved"),
            ("2002::1", "6to4"),
        ];
        for (text, kind) in cases {
            let facts = address(text.parse().unwrap());
            assert_eq!(facts.kind, kind, "{text}");
            assert!(super::super::topic(facts.topic).is_some(), "{}", facts.topic);
        }
        assert_eq!(address("192.168.1.7".parse().unwrap()).bytes, "c0 a8 01 07");
    }

    #[test]
    fn every_block_is_reached_by_its_own_first_address_or_by_one_before() {
        for line in BLOCKS.lines() {
            let base: IpAddr = line.split('/').next().unwrap().parse().unwrap();
            assert_eq!(line.split(" | ").count(), 5, "{line}");
            assert!(holds(line.split(" | ").next().unwrap(), base), "{line}");
            assert!(super::super::topic(address(base).topic).is_some(), "{line}");
        }
    }

    #[test]
    fn a_mesh_has_a_connection_for_each_pair() {
        assert_eq!([0, 1, 2, 3, 100].map(|n| Mesh::of(n).mesh), [0, 0, 1, 3, 4_950]);
        assert!(Mesh::of(100).sentence().contains("100 * 99 / 2 = 4,950"));
        assert_eq!(Mesh::of(u64::MAX).mesh, 170_141_183_460_469_231_704_017_187_605_319_778_305);
    }
}
