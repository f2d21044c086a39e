//! What the bench of a room server reports: plain data, and its layout. Measures nothing.

use std::net::SocketAddr;

use serde::Serialize;

use super::report::{Outcome, whole};
use crate::report::{Block, Report};
use crate::text::{Grouped, counted};

/// The report on a room server. A reply is a delivery here.
#[derive(Clone, Debug, Serialize)]
pub struct RoomsReport {
    /// The server.
    pub target: SocketAddr,
    /// The framing that it speaks.
    pub framing: &'static str,
    /// Rooms.
    pub rooms: usize,
    /// Members of each.
    pub members: usize,
    /// Messages in flight in each room, at most.
    pub window: usize,
    /// Bytes of a message's text.
    pub size_bytes: usize,
    /// The pace of an open loop, in messages over all rooms; `None`: a closed loop.
    pub asked_rate_per_s: Option<f64>,
    /// Messages published and measured.
    pub messages: u64,
    /// What came of it; requests are deliveries that were to come.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl Report for RoomsReport {
    fn blocks(&self) -> Vec<Block> {
        let pace = match self.asked_rate_per_s {
            Some(rate) => format!("open loop, {rate} messages/s asked for"),
            None => "closed loop".to_owned(),
        };
        let heading = format!(
            "{}: {} of {}, window {}, {} each, {}, {pace}",
            self.target,
            counted(self.rooms as u64, "room"),
            counted(self.members as u64, "member"),
            self.window,
            counted(self.size_bytes as u64, "byte"),
            self.framing,
        );
        let measured = &self.outcome.measured;
        let rate = format!(
            "{} deliveries in {:.2} s: {}/s; {} messages",
            Grouped(measured.replies),
            measured.elapsed_s,
            whole(measured.rate_per_s),
            Grouped(self.messages)
        );
        let mut blocks = vec![Block::Text(heading), Block::Text(rate)];
        blocks.extend(self.outcome.blocks("delivery"));
        blocks
    }

    fn succeeded(&self) -> bool {
        self.outcome.succeeded()
    }
}
