//! Tab: completes a command, a room behind `/join`, or the name of somebody who is here. Pure.

use super::chat::Chat;
use crate::client::chat_line::COMMANDS;

/// What Tab does: so many characters before the cursor give way to the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Completion {
    pub(super) chars: usize,
    pub(super) text: String,
}

/// Completes what stands before the cursor as far as only one thing can be meant.
pub(super) fn complete(before: &str, chat: &Chat) -> Option<Completion> {
    let word = before.rsplit(' ').next().unwrap_or(before);
    let first = word.len() == before.len();
    let mut words = before.split(' ');
    let command = words.next().filter(|word| word.starts_with('/'));
    let candidates: Vec<String> = match command {
        Some(_) if first => COMMANDS.iter().map(|command| format!("{} ", command.name)).collect(),
        Some("/join" | "/members") => chat.rooms.iter().map(|room| format!("{} ", room.name)).collect(),
        _ if word.is_empty() => return None,
        _ => chat.members.iter().map(|name| format!("{name}{}", if first { ": " } else { " " })).collect(),
    };
    let starts = |candidate: &&String| {
        candidate.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    let fitting: Vec<&String> = candidates.iter().filter(starts).collect();
    let text = common_start(&fitting)?;
    (text.len() > word.len()).then(|| Completion { chars: word.chars().count(), text: text.to_owned() })
}

/// What all of them begin with, without regard to case.
fn common_start<'a>(candidates: &[&'a String]) -> Option<&'a str> {
    let (first, others) = candidates.split_first()?;
    let same = |other: &&String| {
        let pairs = first.char_indices().zip(other.chars());
        let differs = pairs.clone().find(|((_, a), b)| !a.eq_ignore_ascii_case(b));
        differs.map_or(first.len().min(other.len()), |((at, _), _)| at)
    };
    let end = others.iter().map(same).min().unwrap_or(first.len());
    first.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::chat::RoomRow;

    fn completed(before: &str) -> Option<String> {
        let mut chat = Chat::new(std::time::Instant::now());
        chat.members = ["ada", "Alan", "bob"].map(str::to_owned).into();
        chat.rooms = vec![RoomRow { name: "lab".into(), members: 1, news: false }];
        complete(before, &chat).map(|Completion { chars, text }| {
            let kept = before.chars().count() - chars;
            before.chars().take(kept).collect::<String>() + &text
        })
    }

    #[test]
    fn commands_rooms_and_names_are_completed() {
        assert_eq!(completed("/jo").as_deref(), Some("/join "));
        assert_eq!(completed("/join l").as_deref(), Some("/join lab "));
        assert_eq!(completed("b").as_deref(), Some("bob: "));
        assert_eq!(completed("ask AD").as_deref(), Some("ask ada "));
        assert_eq!(completed("a"), None, "ada or Alan");
        assert_eq!(completed(""), None);
        assert_eq!(completed("é"), None);
    }
}
