//! The server's part in datagrams: each one answered to where it came from.

use std::net::UdpSocket;
use std::time::Instant;

use super::conversation::LATE;
use super::play::{Asks, Way};
use super::player::{LOOK, Player, Starting};
use super::seen::Fault;

impl Player<'_> {
    pub(super) fn datagrams(&mut self, socket: &UdpSocket) -> Result<(), Fault> {
        if socket.set_read_timeout(Some(LOOK)).is_err() {
            return Err(Fault::NoConnection);
        }
        let mut starting = Starting::new();
        let mut active = None::<Instant>;
        let mut buffer = vec![0; 64 << 10];
        while self.seen.messages.len() < self.play.turns.len() {
            // The exit is looked at first: what was sent before it is in the buffer by then.
            let gone = self.child.exited().is_some();
            if let Ok((read, from)) = socket.recv_from(&mut buffer) {
                active = Some(Instant::now());
                self.seen.received(&buffer[..read]);
                if self.play.asks == Asks::Connection {
                    return Ok(());
                }
                let number = self.seen.messages.len();
                self.take(buffer[..read].to_vec())?;
                if self.play.way == Way::Late {
                    self.pause(LATE);
                }
                let answer = self.play.answer(number);
                // A datagram may be lost; one that can't be sent is.
                let _ = socket.send_to(&answer.bytes, from);
                self.seen.sent(&answer.bytes, &answer.fields);
                if self.play.one_by_one {
                    self.give_line(number + 1);
                }
                continue;
            }
            match active {
                _ if self.config.stop.requested() => return Err(Fault::Silent),
                None if gone || starting.is_late(&self.child) => return Err(Fault::NoConnection),
                Some(_) if gone => return Err(Fault::Ended),
                Some(active) if active.elapsed() > self.config.patience => return Err(Fault::Silent),
                _ => {}
            }
        }
        Ok(())
    }
}
