//! `netlab inspect`.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::diag::inspect::{self, Inspector};
use crate::framing::Framing;
use crate::render;
use crate::report::Report;
use crate::text;

use super::output::Output;
use super::stdin_lines::StdinLines;
use super::tcp_echo::FramingArgs;
use super::values::{self, HexParts};
use super::{UsageError, answered};

/// Bytes per read of the input.
const CHUNK: usize = 256 << 10;

/// Take a stream of bytes apart, and name the first thing wrong with it
///
/// Shows each field with its offset, bytes, name and value, and the messages of the room server in it. Where
/// the stream can't be read, says where and why, and names the writer's mistake if the bytes prove one.
///
/// Exit code: 0 if the stream is whole frames, 1 if something is wrong with it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab inspect --framing u16 capture.bin
  netlab inspect --framing u16 --hex '0005 48656c6c6f'   bytes from the command line
  netlab inspect --framing u16 --hex '0500 48656c6c6f'   little-endian: exit code 1
  netlab inspect < file                                  which framings could it be?
  netlab inspect --encode --framing u32 Hello World      frames: bytes into a pipe or
                                                         file, hex on a terminal
  netlab inspect --encode --framing header -o f '{\"a\": 1}'")]
pub(super) struct InspectArgs {
    /// The file to read, `-` for stdin; with --encode, the messages [default: stdin]
    #[arg(value_name = "FILE")]
    words: Vec<String>,
    #[command(flatten)]
    framing: FramingArgs,
    /// These bytes instead of a file; with --encode, `|` stands between messages
    #[arg(long, value_name = "HEX", value_parser = values::hex_parts, conflicts_with = "words")]
    hex: Option<HexParts>,
    /// Make frames of messages, or of the lines of stdin
    #[arg(long)]
    encode: bool,
    /// Write the frames to a file
    #[arg(short, long, value_name = "FILE", requires = "encode")]
    output: Option<PathBuf>,
    /// Print one JSON document
    #[arg(short = 'J', long)]
    pub(super) json: bool,
}

impl InspectArgs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        if self.encode { self.encode() } else { self.inspect(output) }
    }

    fn inspect(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let mut inspector = Inspector::new(self.framing.framing, self.framing.max_frame);
        match (&self.hex, &self.words[..]) {
            (Some(HexParts(parts)), _) => parts.iter().for_each(|part| inspector.feed(part)),
            (None, []) => feed(&mut inspector, &mut stdin(), "stdin")?,
            (None, [name]) if name == "-" => feed(&mut inspector, &mut stdin(), "stdin")?,
            (None, [name]) => {
                let mut file = File::open(name).map_err(|error| unreadable(name, &error))?;
                feed(&mut inspector, &mut file, name)?;
            }
            (None, [_, second, ..]) => {
                let message = format!("one file at a time: `{}` is a second one", text::printable(second));
                let hint = Some("--encode takes messages".to_owned());
                return Err(UsageError { message, hint }.into());
            }
        }
        let inspection = inspector.finish();
        output.report(&inspection, self.json)?;
        Ok(answered(inspection.succeeded()))
    }

    fn encode(&self) -> anyhow::Result<ExitCode> {
        let FramingArgs { framing, max_frame } = self.framing;
        if framing == Framing::Raw {
            Output::note("note: raw framing adds nothing; --framing u16 puts a length before each message");
        }
        let messages = self.messages()?;
        let encoded = inspect::encode(framing, max_frame, &messages).map_err(|(at, error)| {
            UsageError::new(format!("message {at} can't be sent with {} framing: {error}", framing.name()))
        })?;
        if let Some(path) = &self.output {
            write_file(path, &encoded.bytes)?;
            let frames = text::counted(encoded.frames.len() as u64, "frame");
            Output::note(&format!("wrote {frames}, {}", text::counted(encoded.bytes.len() as u64, "byte")));
        }
        if self.json {
            Output::print(&render::document(&encoded))?;
        } else if self.output.is_none() {
            let mut stdout = io::stdout().lock();
            if stdout.is_terminal() {
                for frame in &encoded.frames {
                    writeln!(stdout, "{}", frame.hex)?;
                }
            } else {
                stdout.write_all(&encoded.bytes)?;
            }
            stdout.flush()?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn messages(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        if let Some(HexParts(parts)) = &self.hex {
            return Ok(parts.clone());
        }
        if !self.words.is_empty() {
            return Ok(self.words.iter().map(|word| word.clone().into_bytes()).collect());
        }
        Ok(StdinLines::new(self.framing.max_frame).collect::<io::Result<_>>()?)
    }
}

fn stdin() -> io::StdinLock<'static> {
    if io::stdin().is_terminal() {
        Output::note("reading stdin; Ctrl-D ends");
    }
    io::stdin().lock()
}

fn feed(inspector: &mut Inspector, input: &mut impl Read, name: &str) -> anyhow::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match input.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(length) => inspector.feed(&chunk[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(name, &error).into()),
        }
    }
}

fn unreadable(name: &str, error: &io::Error) -> UsageError {
    UsageError::new(format!("read {}: {error}", text::printable(name)))
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), UsageError> {
    std::fs::write(path, bytes).map_err(|error| {
        UsageError::new(format!("write {}: {error}", text::printable(&path.to_string_lossy())))
    })
}
