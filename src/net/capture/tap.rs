//! The loop's connections and sockets in a capture.

use super::{Capture, Flow};
use crate::net::reactor::{ConnMap, Seen, Tap};

/// Writes what the loop receives and sends.
pub(super) struct LoopTap {
    capture: Capture,
    flows: ConnMap<Flow>,
}

impl LoopTap {
    pub(super) fn new(capture: Capture) -> LoopTap {
        LoopTap { capture, flows: ConnMap::default() }
    }
}

impl Tap for LoopTap {
    fn see(&mut self, seen: Seen<'_>) {
        match seen {
            Seen::Opened { c, local: Some(local), peer } => {
                let flow = Flow::open(self.capture.clone(), local, peer.addr, peer.outbound);
                self.flows.insert(c, flow);
            }
            Seen::Received { c, bytes } => {
                if let Some(flow) = self.flows.get_mut(c) {
                    flow.received(bytes);
                }
            }
            Seen::Sent { c, bytes, .. } => {
                if let Some(flow) = self.flows.get_mut(c) {
                    flow.sent(bytes);
                }
            }
            Seen::ShutDown { c } => {
                if let Some(flow) = self.flows.get_mut(c) {
                    flow.shut_down();
                }
            }
            Seen::Closed { c, reset } => {
                if let Some(mut flow) = self.flows.remove(c)
                    && reset
                {
                    flow.reset();
                }
            }
            Seen::Datagram { local, peer, bytes, outbound: true } => {
                self.capture.datagram_sent(local, peer, bytes);
            }
            Seen::Datagram { local, peer, bytes, outbound: false } => {
                self.capture.datagram_received(local, peer, bytes);
            }
            Seen::Opened { local: None, .. }
            | Seen::Slept { .. }
            | Seen::ListenerReady
            | Seen::Ready { .. }
            | Seen::WouldBlock { .. } => {}
        }
    }
}
