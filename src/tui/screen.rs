//! The terminal: taken for the picture, and given back in every way to end.
//!
//! ```text
//!            take                              release
//! ours ◄──────────── the shell's  ◄──────────────────────── ours
//!   raw mode, second screen,        dropped, a panic of any thread, a signal, Ctrl-Z
//!   bracketed paste
//! ```
//! Only SIGKILL leaves it as it is: `reset` repairs it then.

use std::io::{self, BufWriter, Stdout, Write};
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::thread::{self, ThreadId};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{execute, queue};
use ratatui::layout::Rect;

use super::model::Model;
use super::view;

/// The terminal is ours at the moment.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// What a thread that draws nothing said when it panicked.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// The terminal, as long as it is ours.
pub(super) struct Screen {
    // One write a picture: over SSH each write may be a packet.
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
}

impl Screen {
    /// Takes the terminal.
    pub(super) fn take() -> io::Result<Screen> {
        restore_on_panic();
        enter()?;
        let backend = CrosstermBackend::new(BufWriter::with_capacity(64 << 10, io::stdout()));
        let terminal = Terminal::new(backend).inspect_err(|_| restore())?;
        Ok(Screen { terminal })
    }

    /// Draws the picture; only what has changed since the last one is written.
    pub(super) fn draw(&mut self, model: &Model) -> io::Result<()> {
        self.terminal.draw(|frame| view::draw(model, frame)).map(drop)
    }

    /// The size of the next picture: a terminal is made smaller at any time, and its signal comes later.
    pub(super) fn size(&mut self) -> io::Result<(u16, u16)> {
        self.terminal.autoresize()?;
        let area = self.terminal.get_frame().area();
        Ok((area.width, area.height))
    }

    /// The next picture is drawn whole. Returns the size of the terminal now.
    // Not `Terminal::clear`: that asks the terminal where its cursor is, and the thread that reads keys has the ear.
    pub(super) fn repaint(&mut self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::new(0, 0, size.width, size.height))?;
        Ok((size.width, size.height))
    }

    /// Takes the terminal again after [`restore`], or after somebody changed it. Returns its size now.
    pub(super) fn retake(&mut self) -> io::Result<(u16, u16)> {
        // What raw mode was entered from is what the terminal is now.
        restore();
        enter()?;
        self.repaint()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn enter() -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste).inspect_err(|_| restore())
}

/// Gives the terminal back as it was. May be called from any thread, and more than once.
pub(super) fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    // The modes first: they are set even where nothing can be written, as after Ctrl-S. A terminal that went away
    // needs no repair.
    let _ = disable_raw_mode();
    let mut stdout = io::stdout();
    let _ = queue!(stdout, DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = stdout.flush();
}

/// The panic of another thread, told by whoever draws once the terminal is given back.
pub(super) fn take_panic() -> Option<String> {
    PANIC.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// From now on a panic of this thread gives the terminal back before it is told; that of another thread is kept,
/// because this one may be drawing at the moment.
fn restore_on_panic() {
    static HOOK: Once = Once::new();
    let drawing = thread::current().id();
    HOOK.call_once(|| {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !keep(panic, drawing) {
                restore();
                told(panic);
            }
        }));
    });
}

fn keep(panic: &PanicHookInfo<'_>, drawing: ThreadId) -> bool {
    let keep = TAKEN.load(Ordering::SeqCst) && thread::current().id() != drawing;
    if keep {
        let name = thread::current().name().unwrap_or("unnamed").to_owned();
        let place = panic.location().map(|place| format!(" at {place}")).unwrap_or_default();
        let payload = panic.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text =
            text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no reason");
        let text = format!("a bug: the thread '{name}' panicked{place}: {text}");
        *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }
    keep
}
