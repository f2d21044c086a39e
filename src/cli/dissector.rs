//! `netlab dissector`.

use std::process::ExitCode;

use clap::Args;

use crate::diag::DISSECTOR;

use super::output::Output;

/// Print a Wireshark dissector for netlab's frames and messages, in Lua
///
/// Save it as netlab.lua in Wireshark's folder for Lua plugins (Help > About Wireshark >
/// Folders, "Personal Lua Plugins") and restart Wireshark. The ports are preferences of
/// NETLAB_U16 (12000), NETLAB_U32 (5000) and NETLAB_HEADER; for others, Decode As.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  netlab dissector > netlab.lua
  netlab serve --capture rooms.pcapng                             the bytes, without root
  tshark -X lua_script:netlab.lua -r rooms.pcapng                 the messages
  tshark -X lua_script:netlab.lua -r x.pcapng -d tcp.port==5001,netlab_u32"
)]
pub(super) struct DissectorArgs {}

impl DissectorArgs {
    #[expect(clippy::unused_self, reason = "as every command")]
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        Output::print(DISSECTOR)?;
        Ok(ExitCode::SUCCESS)
    }
}
