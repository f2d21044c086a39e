//! Colours and signs: the one place that decides how a thing looks. Meaning never hangs on a colour: what a colour
//! says, a word, a sign or its place says as well.

use ratatui::style::{Color, Modifier, Style};

/// How the screen may look.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    color: bool,
    /// The signs to draw with.
    pub signs: &'static Signs,
}

/// The signs that are drawn, as Unicode has them or as ASCII does.
#[derive(Debug)]
pub struct Signs {
    pub(super) vertical: &'static str,
    pub(super) horizontal: &'static str,
    pub(super) tee_down: &'static str,
    pub(super) tee_up: &'static str,
    pub(super) corners: [&'static str; 4],
    pub(super) ellipsis: &'static str,
    pub(super) prompt: &'static str,
    pub(super) here: &'static str,
    pub(super) on: &'static str,
    pub(super) off: &'static str,
    pub(super) sent: &'static str,
    pub(super) received: &'static str,
    pub(super) down: &'static str,
    pub(super) left_right: [&'static str; 2],
    pub(super) mask: char,
    pub(super) separator: &'static str,
    pub(super) up_down: &'static str,
}

const UNICODE: Signs = Signs {
    vertical: "│",
    horizontal: "─",
    tee_down: "┬",
    tee_up: "┴",
    corners: ["╭", "╮", "╰", "╯"],
    ellipsis: "…",
    prompt: "›",
    here: "▸",
    on: "●",
    off: "○",
    sent: "→",
    received: "←",
    down: "↓",
    left_right: ["‹", "›"],
    mask: '•',
    separator: "·",
    up_down: "↑↓",
};

const ASCII: Signs = Signs {
    vertical: "|",
    horizontal: "-",
    tee_down: "+",
    tee_up: "+",
    corners: ["+", "+", "+", "+"],
    ellipsis: "~",
    prompt: ">",
    here: ">",
    on: "*",
    off: "o",
    sent: "->",
    received: "<-",
    down: "v",
    left_right: ["<", ">"],
    mask: '*',
    separator: "-",
    up_down: "Up/Down",
};

/// Colours for names: those of the sixteen that can be read on black and on white, and that nothing else has.
const NAMES: [Color; 8] = [
    Color::Cyan,
    Color::Magenta,
    Color::Green,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightRed,
    Color::LightCyan,
    Color::LightGreen,
];

impl Theme {
    /// A theme with colours or without, with Unicode's signs or with ASCII alone.
    #[must_use]
    pub fn new(color: bool, ascii: bool) -> Theme {
        Theme { color, signs: if ascii { &ASCII } else { &UNICODE } }
    }

    /// The colour of a name: always the same one, on every screen and in every run.
    pub(super) fn name(self, name: &str) -> Style {
        // FNV-1a over the name as it is compared. The standard library's hasher may change between versions.
        let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193)
        });
        let index = usize::try_from(hash >> 16).unwrap_or(0) % NAMES.len();
        self.with(NAMES[index]).add_modifier(Modifier::BOLD)
    }

    /// What stands back: times, rules, notes.
    #[expect(clippy::unused_self, reason = "every look comes from the theme")]
    pub(super) fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// What stands out: titles, keys.
    #[expect(clippy::unused_self, reason = "every look comes from the theme")]
    pub(super) fn bold(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is selected, or has the focus.
    #[expect(clippy::unused_self, reason = "every look comes from the theme")]
    pub(super) fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// What is right.
    pub(super) fn good(self) -> Style {
        self.with(Color::Green)
    }

    /// What waits for attention.
    pub(super) fn attention(self) -> Style {
        self.with(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    /// What is wrong.
    pub(super) fn error(self) -> Style {
        self.with(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// A length in front of a frame, and whatever else framing adds.
    pub(super) fn framing(self) -> Style {
        self.with(Color::Yellow).add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
    }

    /// What went to the server.
    pub(super) fn sent(self) -> Style {
        self.with(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    /// What came from the server.
    pub(super) fn received(self) -> Style {
        self.with(Color::Green).add_modifier(Modifier::BOLD)
    }

    fn with(self, color: Color) -> Style {
        if self.color { Style::new().fg(color) } else { Style::new() }
    }
}
