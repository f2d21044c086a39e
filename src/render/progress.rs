//! A progress bar on stderr, drawn by indicatif. It moves, so it is for terminals alone: who asks for one has
//! looked whether stderr is one.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Style;

/// Steps of the bar; its caller counts from 0 to 1.
const STEPS: u64 = 1_000;

/// The bar, on one line: what it says is cut where the screen ends. It disappears when it is dropped, so that
/// the report stands alone.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar that is empty.
    #[must_use]
    pub fn new(style: Style) -> Progress {
        let bar = ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr());
        let template = ProgressStyle::with_template("[{bar:20}] {percent:>3} %  {wide_msg}");
        let chars = if style.ascii { "#>-" } else { "█▓░" };
        bar.set_style(template.expect("a template that indicatif reads").progress_chars(chars));
        Progress { bar }
    }

    /// Moves the bar, to a share of the whole from 0 to 1.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 1,000")]
    pub fn set(&self, share: f64) {
        self.bar.set_position((share.clamp(0.0, 1.0) * 1_000.0) as u64);
    }

    /// Says something behind the bar.
    pub fn say(&self, line: String) {
        self.bar.set_message(line);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
