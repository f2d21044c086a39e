//! How an inspection is laid out: eight bytes a row, each field's name and value beside its first.

use crate::report::{Block, Report, Table};
use crate::text::{Grouped, byte_count, counted, hex};

use super::fields::shown;
use super::{Field, Frame, Inspection, Message};

/// Bytes in a row: what fits beside names and values on a narrow screen.
const ROW: usize = 8;
/// Rows of one field.
const ROWS: usize = 8;

impl Report for Inspection {
    fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        if !self.frames.is_empty() {
            let mut table = Table::new(&[">offset", "=bytes", "=text", "=field", "value"]);
            for frame in &self.frames {
                add_frame(&mut table, frame);
            }
            blocks.push(Block::Table(table));
            blocks.push(Block::Text(String::new()));
        }
        blocks.extend(self.summary().into_iter().map(Block::Text));
        blocks
    }

    fn succeeded(&self) -> bool {
        self.fault.is_none()
    }
}

impl Inspection {
    fn summary(&self) -> Vec<String> {
        let (bytes, framing) = (counted(self.bytes, "byte"), self.framing);
        if framing == "raw" {
            let names: Vec<String> = self.readable_as.iter().map(|name| format!("`{name}`")).collect();
            let mut lines = vec![format!("{bytes}, read as raw: no boundaries")];
            if !names.is_empty() {
                lines.push(format!("The whole stream can be read with --framing {}.", names.join(" or ")));
            }
            return lines;
        }
        let mut lines =
            vec![format!("{bytes}, read as {framing}: {}", counted(self.frames_total, "whole frame"))];
        let hidden = self.frames_total - self.frames.len() as u64;
        if hidden > 0 {
            lines.push(format!("{} of them are not shown.", Grouped(hidden)));
        }
        match &self.fault {
            None => lines.push("Nothing is wrong with it.".to_owned()),
            Some(fault) => {
                lines.push(format!("Wrong at offset {}: {}", Grouped(fault.noticed_at), fault.reason));
                lines.push(format!("there: {}", fault.bytes));
                if let Some(explanation) = &fault.explanation {
                    lines.push(format!("cause: {explanation}"));
                }
                if fault.offset != fault.noticed_at {
                    let first = Grouped(fault.offset);
                    lines.push(format!("The first wrong frame begins at offset {first}."));
                }
                let topics: Vec<String> =
                    fault.classes.iter().map(|class| format!("`netlab explain {class}`")).collect();
                if !topics.is_empty() {
                    lines.push(format!("more: {}", topics.join(", ")));
                }
            }
        }
        lines
    }
}

fn add_frame(table: &mut Table, frame: &Frame) {
    for field in &frame.fields {
        add_field(table, field);
    }
    if let Some(message) = &frame.message {
        add_message(table, message);
    }
}

fn add_field(table: &mut Table, field: &Field) {
    let (mut name, mut value) = (field.name.to_owned(), field.words.clone());
    let rows: Vec<&[u8]> = field.hex.chunks(ROW).collect();
    for (at, bytes) in rows.iter().take(ROWS).enumerate() {
        let offset = field.offset + (at * ROW) as u64;
        let cells = [offset.to_string(), hex(bytes), ascii(bytes)];
        let [offset, bytes, text] = cells;
        table.row([offset, bytes, text, std::mem::take(&mut name), std::mem::take(&mut value)]);
    }
    if rows.is_empty() {
        table.row([field.offset.to_string(), String::new(), String::new(), name, value]);
    }
    let more = field.bytes.saturating_sub((ROWS * ROW) as u64);
    if more > 0 {
        let left = format!("and {} more", byte_count(more));
        table.row([String::new(), left, String::new(), String::new(), String::new()]);
    }
    for (name, value) in &field.members {
        add_detail(table, name, value);
    }
}

fn add_message(table: &mut Table, message: &Message) {
    add_detail(table, "message", message.kind);
    add_detail(table, "sent by", message.from);
    for (name, value) in &message.data {
        add_detail(table, name, value);
    }
    if let Some(problem) = &message.problem {
        add_detail(table, "refused", problem);
    }
}

fn add_detail(table: &mut Table, name: &str, value: &str) {
    table.row([String::new(), String::new(), String::new(), format!(" {}", shown(name)), value.to_owned()]);
}

/// One sign a byte: what is not printable ASCII is a dot.
fn ascii(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '.' }).collect()
}
