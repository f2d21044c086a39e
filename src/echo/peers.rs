//! What each peer of a UDP server sent and was sent, in bounded memory.
//!
//! It stands apart from the server because UDP has no connections to hang totals on: a source address is all
//! there is, anybody can write any source address, and so the table of them needs a limit. It only counts.

use std::collections::HashMap;
use std::net::SocketAddr;

use serde::Serialize;

/// Peers whose totals are kept apart: a school, and half a megabyte. Those who come later are counted together.
pub const PEERS: usize = 4_096;

/// Datagrams and their bytes, both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Datagrams received.
    pub received_datagrams: u64,
    /// Their payload.
    pub received_bytes: u64,
    /// Datagrams that the kernel took for sending.
    pub sent_datagrams: u64,
    /// Their payload.
    pub sent_bytes: u64,
    /// Received ones that the loop guard left unanswered.
    pub ignored_datagrams: u64,
    /// Answers that the kernel did not take.
    pub unsent_datagrams: u64,
    /// Received ones whose end did not fit.
    pub truncated_datagrams: u64,
}

/// A peer's totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PeerTraffic {
    /// Its address.
    pub peer: SocketAddr,
    /// What it sent and was sent.
    #[serde(flatten)]
    pub traffic: Traffic,
}

/// What a server's datagrams add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UdpTotals {
    /// All peers together.
    #[serde(flatten)]
    pub all: Traffic,
    /// Each peer, the busiest first.
    pub peers: Vec<PeerTraffic>,
    /// The peers that are not kept apart, together, if there were any.
    pub other_peers: Option<Traffic>,
}

impl Traffic {
    /// Adds more of the same peer, or another one's.
    pub fn add(&mut self, more: &Traffic) {
        self.received_datagrams += more.received_datagrams;
        self.received_bytes += more.received_bytes;
        self.sent_datagrams += more.sent_datagrams;
        self.sent_bytes += more.sent_bytes;
        self.ignored_datagrams += more.ignored_datagrams;
        self.unsent_datagrams += more.unsent_datagrams;
        self.truncated_datagrams += more.truncated_datagrams;
    }
}

/// Counts per peer.
#[derive(Debug, Default)]
pub struct Peers {
    known: HashMap<SocketAddr, Traffic>,
    others: Option<Traffic>,
    /// What was counted last, not in the table yet: a busy peer is looked up once, not for each datagram.
    latest: Option<PeerTraffic>,
}

impl Peers {
    /// Adds to the counts of `peer`.
    pub fn add(&mut self, peer: SocketAddr, more: &Traffic) {
        match &mut self.latest {
            Some(latest) if latest.peer == peer => latest.traffic.add(more),
            _ => {
                self.settle();
                self.latest = Some(PeerTraffic { peer, traffic: *more });
            }
        }
    }

    /// The counts of `peer`, or those that all later peers share.
    pub fn of(&mut self, peer: SocketAddr) -> &mut Traffic {
        self.settle();
        self.entry(peer)
    }

    fn settle(&mut self) {
        if let Some(PeerTraffic { peer, traffic }) = self.latest.take() {
            self.entry(peer).add(&traffic);
        }
    }

    fn entry(&mut self, peer: SocketAddr) -> &mut Traffic {
        if self.known.len() >= PEERS && !self.known.contains_key(&peer) {
            return self.others.get_or_insert_default();
        }
        self.known.entry(peer).or_default()
    }

    /// Adds everything up.
    #[must_use]
    pub fn totals(&mut self) -> UdpTotals {
        self.settle();
        let mut peers: Vec<PeerTraffic> =
            self.known.iter().map(|(peer, traffic)| PeerTraffic { peer: *peer, traffic: *traffic }).collect();
        peers.sort_by_key(|one| (std::cmp::Reverse(one.traffic.received_datagrams), one.peer));
        let mut all = self.others.unwrap_or_default();
        for one in &peers {
            all.add(&one.traffic);
        }
        UdpTotals { all, peers, other_peers: self.others }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_peer_comes_first_and_nothing_is_counted_twice() {
        let mut peers = Peers::default();
        let addr = |port| SocketAddr::from(([127, 0, 0, 1], port));
        for (port, received_datagrams) in [(5_001, 1), (5_002, 1), (5_002, 1), (5_003, 1), (5_002, 1)] {
            peers.add(addr(port), &Traffic { received_datagrams, ..Traffic::default() });
        }
        assert_eq!(peers.of(addr(5_002)).received_datagrams, 3, "what was counted last is there");
        let totals = peers.totals();
        let order: Vec<u16> = totals.peers.iter().map(|one| one.peer.port()).collect();
        assert_eq!((order, totals.all.received_datagrams), (vec![5_002, 5_001, 5_003], 5));
        assert_eq!(totals.other_peers, None);
    }

    #[test]
    fn spoofed_sources_do_not_grow_the_table() {
        let mut peers = Peers::default();
        for source in 0..10_000u32 {
            peers.of(SocketAddr::from((source.to_be_bytes(), 5_000))).received_datagrams += 1;
        }
        peers.of(SocketAddr::from((0u32.to_be_bytes(), 5_000))).received_datagrams += 1;
        let totals = peers.totals();
        assert_eq!(totals.peers.len(), PEERS);
        assert_eq!(totals.peers[0].traffic.received_datagrams, 2, "known peers stay known");
        let others = totals.other_peers.unwrap().received_datagrams;
        assert_eq!((others, totals.all.received_datagrams), (10_000 - PEERS as u64, 10_001));
    }
}
