//! `netlab sticky-demo`.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::demo::sticky::{self, Name, Plan, PlanOptions, StickyReport};
use crate::framing::Framing;
use crate::report::Report;

use super::capture::CaptureArgs;
use super::output::Output;
use super::socket_options::{self, SocketOptionsArgs};
use super::{UsageError, answered, values};

/// See TCP merge and split messages on real sockets, and framing cure it
///
/// A real server and a real client in one process, on loopback. Each send and each
/// recv call is recorded, drawn with one column per byte, and judged by what it
/// really did:
///
///   merge   several messages in one recv
///   split   one message in two recvs
///   mixed   one and a half messages in one recv
///   nagle   what TCP_NODELAY changes (the wait), and what it doesn't (the merging)
///   framed  the cure: a length before each message; and what a delimiter costs
///   udp     boundaries for free, but a small buffer loses bytes
///   race    with --race: nobody waits, 200 times, and chance decides
///
/// Exit code: 0 if every scenario showed its pattern, 1 if one was not observed,
/// 2 for wrong usage.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  netlab sticky-demo                                  all scenarios
  netlab sticky-demo --scenario split --recv-size 4   at most 4 bytes a call
  netlab sticky-demo --scenario merge --framing u32   a decoder undoes the merge
  netlab sticky-demo --text 'Hi,Grüße' --step         predict, then press Enter
  netlab sticky-demo --scenario race -J               the records, for a program"
)]
pub(super) struct StickyDemoArgs {
    /// Run only this scenario; repeat it for several
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = values::named(&Name::ALL, Name::name))]
    scenario: Vec<Name>,
    /// How many messages to send [default: 2, in merge, udp and race 3, at least one per text; nagle: always 10]
    #[arg(long, value_name = "N")]
    messages: Option<usize>,
    /// The messages' texts, separated by commas, taken in turn [default: Hello,World,Again]
    #[arg(long, value_name = "TEXT", value_delimiter = ',', num_args = 1..)]
    text: Vec<String>,
    /// Bytes that each recv call may return; the last one repeats [default: the scenario's own]
    #[arg(long, value_name = "BYTES", value_delimiter = ',', value_parser = recv_size)]
    recv_size: Vec<usize>,
    /// How long to wait between two sends
    #[arg(long, value_name = "DUR", default_value = "0", value_parser = values::duration)]
    send_gap: Duration,
    /// Frame the messages of merge, split, mixed and race; framed then shows this framing alone
    #[arg(long, value_name = "FRAMING", default_value = "raw", value_parser = values::framing())]
    framing: Framing,
    /// Also leave it to chance: no waiting, 200 times, and the distribution
    #[arg(long)]
    race: bool,
    /// Wait for Enter before showing what recv returned, so that a class can predict
    #[arg(long, conflicts_with = "json")]
    step: bool,
    /// Print one JSON document
    #[arg(short = 'J', long)]
    pub(super) json: bool,
    #[command(flatten)]
    socket: SocketOptionsArgs,
    #[command(flatten)]
    capture: CaptureArgs,
}

/// The largest buffer of one recv call: more than any message here has.
const MAX_RECV_SIZE: usize = 1 << 20;

fn recv_size(text: &str) -> Result<usize, String> {
    let size = values::size(text)?;
    if size > MAX_RECV_SIZE { Err("at most 1m per call".to_owned()) } else { Ok(size) }
}

impl StickyDemoArgs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let plan = Plan::new(self.plan()?).map_err(|error| UsageError::new(error.to_string()))?;
        let mut report = StickyReport::default();
        if self.socket.show_options {
            let readings = sticky::read_options(&plan)?;
            self.show(output, &[socket_options::table(&readings)])?;
            report.socket_options = Some(readings);
        }
        for name in self.scenarios() {
            let scenario = sticky::run(name, &plan)?;
            if self.step {
                self.show(output, &scenario.question())?;
                wait_for_enter(scenario.prompt())?;
            }
            self.show(output, &scenario.answer())?;
            report.scenarios.push(scenario);
        }
        if self.json {
            output.report(&report, true)?;
        } else {
            output.blocks(&[report.table()])?;
        }
        Ok(answered(report.succeeded()))
    }

    /// Text appears as it comes; a JSON document is one.
    fn show(&self, output: &Output, blocks: &[crate::report::Block]) -> io::Result<()> {
        if self.json { Ok(()) } else { output.blocks(blocks) }
    }

    fn scenarios(&self) -> Vec<Name> {
        let mut names = if self.scenario.is_empty() { Name::CERTAIN.to_vec() } else { self.scenario.clone() };
        if self.race && !names.contains(&Name::Race) {
            names.push(Name::Race);
        }
        names
    }

    fn plan(&self) -> anyhow::Result<PlanOptions> {
        Ok(PlanOptions {
            messages: self.messages,
            texts: self.text.clone(),
            recv_sizes: self.recv_size.clone(),
            send_gap: self.send_gap,
            framing: self.framing,
            options: self.capture.add_to(self.socket.options())?,
        })
    }
}

/// Asks on stderr, so that stdout holds the pictures alone. The end of stdin counts as Enter.
fn wait_for_enter(question: &str) -> io::Result<()> {
    Output::note(&format!("Predict: {question}\nPress Enter to see it."));
    io::stdin().read_line(&mut String::new()).map(drop)
}
