//! What a program reads: lines that are written by a thread of their own, since a program may read none of them.

use std::io::Write;
use std::sync::mpsc::{self, Sender};

use crate::process::Child;

/// The way to a program's stdin. Dropping it ends the stdin, once all is written.
pub(super) struct Stdin {
    sender: Option<Sender<Vec<u8>>>,
}

impl Stdin {
    /// The thread ends with this, or with the program: nobody reads the pipe any more.
    pub(super) fn of(child: &mut Child) -> Stdin {
        let (sender, texts) = mpsc::channel::<Vec<u8>>();
        if let Some(mut pipe) = child.take_stdin() {
            std::thread::spawn(move || {
                for text in texts {
                    // A program that has closed its stdin will be seen to send nothing.
                    if pipe.write_all(&text).and_then(|()| pipe.flush()).is_err() {
                        break;
                    }
                }
            });
        }
        Stdin { sender: Some(sender) }
    }

    /// Gives it more to read.
    pub(super) fn give(&self, text: Vec<u8>) {
        if let Some(sender) = &self.sender {
            let _ = sender.send(text);
        }
    }

    /// There is no more.
    pub(super) fn end(&mut self) {
        self.sender = None;
    }
}
