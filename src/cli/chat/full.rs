//! The chat on a full screen: what the flags give to it.

use std::path::PathBuf;
use std::process::ExitCode;

use jiff::tz::TimeZone;

use crate::client::{ConnectRequest, Link};
use crate::tui::{self, Given, Model, Now, Remembered, Secret, Start, Theme};

use super::super::output::Output;
use super::super::paths;

/// What the flags said.
pub(super) struct Flags {
    pub(super) request: ConnectRequest,
    pub(super) given: Given,
    /// A secret that was promised, to be typed into the form.
    pub(super) ask: Option<Secret>,
}

/// Runs it until the user leaves.
pub(super) fn run(flags: Flags, output: &Output) -> anyhow::Result<ExitCode> {
    // Without a home folder nothing is remembered, and that is all.
    let file: Option<PathBuf> = paths::data_folder().ok().map(|folder| folder.join("chat.json"));
    let Flags { request, given, ask } = flags;
    let capture = request.socket.capture.clone();
    // Who is named, or where to go, says enough; a secret has still to be typed.
    let at_once = (given.user || given.room) && ask.is_none();
    // Flags that say enough mean the same in every run: what was typed before fills a form alone.
    let remembered = if at_once { None } else { file.as_deref().map(Remembered::load) }.unwrap_or_default();
    let start = Start { request, given, ask, remembered };
    let theme = Theme::new(output.style.color, output.style.ascii);
    let size = tui::terminal_size()?;
    let model = Model::new(start, theme, TimeZone::system(), size, Now::read());
    let mut remember = |values: &Remembered| {
        if let Some(file) = &file {
            // A form that is empty the next time is no reason to disturb a chat.
            let _ = values.save(file);
        }
    };
    tui::run(model, Link::start(capture.as_ref())?, at_once, &mut remember)?;
    Ok(ExitCode::SUCCESS)
}
