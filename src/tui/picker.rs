//! The list of rooms: type to filter, choose, enter; or name a new one. Pure.

use super::chat::RoomRow;
use super::field::Field;
use crate::protocol::names::RoomName;

/// The list of rooms, as it is open.
#[derive(Debug)]
pub(super) struct Picker {
    pub(super) filter: Field,
    /// The row that is chosen.
    pub(super) at: usize,
    /// A new room is named; the list is not shown.
    pub(super) create: bool,
    /// Why the name can't be one.
    pub(super) error: Option<String>,
}

/// A row of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// A room that there is: its name and its members.
    Enter(String, usize),
    /// Make a room of the name that was typed.
    Create(String),
}

impl Picker {
    pub(super) fn new(filter: &str, create: bool) -> Picker {
        Picker { filter: Field::line(filter), at: 0, create, error: None }
    }

    /// The rows that the filter leaves; the last one makes the room that was typed, if it can be one.
    pub(super) fn rows(&self, rooms: &[RoomRow]) -> Vec<Row> {
        let typed = self.filter.text().trim().to_owned();
        let wanted = typed.to_ascii_lowercase();
        let fits = |room: &&RoomRow| room.name.to_ascii_lowercase().contains(&wanted);
        let mut rows: Vec<Row> = Vec::new();
        if !self.create {
            rows.extend(rooms.iter().filter(fits).map(|room| Row::Enter(room.name.clone(), room.members)));
        }
        let exists = rooms.iter().any(|room| room.name.eq_ignore_ascii_case(&typed));
        if !exists && RoomName::parse(&typed).is_ok() {
            rows.push(Row::Create(typed));
        }
        rows
    }

    /// The row that is chosen.
    pub(super) fn chosen(&self, rooms: &[RoomRow]) -> Option<Row> {
        let mut rows = self.rows(rooms);
        let last = rows.len().checked_sub(1)?;
        Some(rows.swap_remove(self.at.min(last)))
    }

    /// Moves the choice.
    pub(super) fn go(&mut self, by: isize, rooms: &[RoomRow]) {
        let last = self.rows(rooms).len().saturating_sub(1);
        self.at = self.at.min(last).saturating_add_signed(by).min(last);
    }

    /// Why nothing can be chosen.
    pub(super) fn complaint(&self, rooms: &[RoomRow]) -> String {
        let typed = self.filter.text().trim().to_owned();
        match RoomName::parse(&typed) {
            _ if typed.is_empty() => "type a name".to_owned(),
            Err(error) => error.to_string(),
            Ok(_) if rooms.iter().any(|room| room.name.eq_ignore_ascii_case(&typed)) => {
                format!("there is a room {typed} already: F3 lists the rooms")
            }
            Ok(_) => "no room has that in its name".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms() -> Vec<RoomRow> {
        let row = |name: &str, members| RoomRow { name: name.into(), members, news: false };
        vec![row("default", 3), row("lab", 1), row("Lab2", 0)]
    }

    #[test]
    fn the_filter_leaves_what_contains_it_and_offers_what_is_new() {
        let rows = Picker::new("la", false).rows(&rooms());
        let expected = [Row::Enter("lab".into(), 1), Row::Enter("Lab2".into(), 0), Row::Create("la".into())];
        assert_eq!(rows, expected);
        assert_eq!(Picker::new("LAB", false).rows(&rooms()).len(), 2, "a room that exists is not made");
        assert_eq!(Picker::new("a b", false).rows(&rooms()), []);
        assert_eq!(Picker::new("new", true).rows(&rooms()), [Row::Create("new".into())]);
        assert_eq!(Picker::new("lab", true).rows(&rooms()), []);
    }

    #[test]
    fn the_choice_stays_in_the_list() {
        let mut picker = Picker::new("", false);
        picker.go(-1, &rooms());
        assert_eq!(picker.at, 0);
        picker.go(9, &rooms());
        assert_eq!(picker.chosen(&rooms()), Some(Row::Enter("Lab2".into(), 0)));
        picker.filter.set("def");
        assert_eq!(picker.chosen(&rooms()), Some(Row::Create("def".into())), "the nearest that is left");
        assert_eq!(Picker::new("a b", false).chosen(&rooms()), None);
        assert!(Picker::new("a b", true).complaint(&rooms()).contains("1 to 32"));
    }
}
