//! `netlab serve`: the room server.

use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::framing::Framing;
use crate::net::{self, ServerEvent, Stop};
use crate::protocol::names::RoomName;
use crate::report::Events;
use crate::server::{self, Config, Event};
use crate::service::{self, Auth, Limits, Rate, Users};
use crate::store::{self, Folders, RealDisk, Records, Refresh};
use crate::text::counted;

use super::address::AddressArgs;
use super::capture::CaptureArgs;
use super::config::{Settings, SettingsArgs};
use super::events::{EventWriter, Format};
use super::output::Output;
use super::paths::UsersFileArgs;
use super::socket_options::{BacklogArgs, SocketOptionsArgs};
use super::values;
use super::{UsageError, room_client};

/// Serve rooms: logins, messages, records
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  netlab serve                               on 127.0.0.1:12000; any free name will do
  netlab serve :0 --room lab --room help -v  two rooms that stay; each step shown
  netlab serve 0.0.0.0 --auth hmac           for the class: who enters proves a key
`netlab users add` makes users, `netlab config` shows the settings and where they come from.")]
pub(super) struct ServeArgs {
    /// Where to listen: HOST, HOST:PORT, HOST PORT or [IPV6]:PORT [default: 127.0.0.1:12000]
    #[arg(num_args = 0..=2, value_name = "ADDR")]
    addr: Vec<String>,
    #[command(flatten)]
    address: AddressArgs,
    /// How messages are told apart
    #[arg(long, value_name = "FRAMING", default_value = "u16", value_parser = room_client::framing())]
    framing: Framing,
    /// How clients prove who they are
    #[arg(long, value_name = "KIND", default_value = "none", value_parser = values::named(&Auth::ALL, Auth::name))]
    auth: Auth,
    #[command(flatten)]
    users: UsersFileArgs,
    /// A room that stays when it is empty; repeat for more
    #[arg(long = "room", value_name = "NAME", value_parser = room_client::room_name)]
    rooms: Vec<RoomName>,
    /// Listen beyond this machine although anyone may then enter; records are read-only
    #[arg(long)]
    insecure_lan: bool,
    /// The address that logins by key bind, where clients reach this server by another one (NAT)
    #[arg(long, value_name = "HOST:PORT")]
    server_name: Option<String>,
    /// Show what the event loop does, a line for each step
    #[arg(long)]
    trace: bool,
    /// Print one JSON object a line instead of text
    #[arg(long)]
    json_stream: bool,
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    socket: SocketOptionsArgs,
    #[command(flatten)]
    capture: CaptureArgs,
    #[command(flatten)]
    backlog: BacklogArgs,
}

/// The bounds of the server, besides `--max-connections`.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits")]
struct LimitArgs {
    /// Of the clients, those that have not logged in, where that is demanded; one more closes the oldest
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = values::count)]
    max_unauthenticated: usize,
    /// The time to log in, where that is demanded
    #[arg(long, value_name = "DUR", default_value = "5s", value_parser = values::duration)]
    login_timeout: Duration,
    /// The time from a frame's first byte to its last
    #[arg(long, value_name = "DUR", default_value = "10s", value_parser = values::duration)]
    frame_timeout: Duration,
    /// The time without a complete frame after which a client is closed
    #[arg(long, value_name = "DUR", default_value = "300s", value_parser = values::duration)]
    idle_timeout: Duration,
    /// The largest message, in bytes (4096 before a demanded login)
    #[arg(long, value_name = "BYTES", default_value = "65535", value_parser = max_frame)]
    max_frame: usize,
    /// Unsent output of a client beyond which it is closed
    #[arg(long, value_name = "BYTES", default_value = "256k", value_parser = values::size)]
    max_unsent: usize,
    /// How long a client may take nothing of its output
    #[arg(long, value_name = "DUR", default_value = "10s", value_parser = values::duration)]
    stuck_timeout: Duration,
    /// Messages per second that a client may send; 0: as many as it likes
    #[arg(long, value_name = "N", default_value_t = 20.0, value_parser = rate)]
    rate_limit: f64,
    /// Messages at once after a silence
    #[arg(long, value_name = "N", default_value_t = 60)]
    rate_burst: u32,
    /// Rooms besides `default`
    #[arg(long, value_name = "N", default_value_t = 100)]
    max_rooms: usize,
}

/// Frames must have room for any answer that is not the client's own text.
fn max_frame(text: &str) -> Result<usize, String> {
    match values::size(text)? {
        size if size < 512 => Err("a frame of less than 512 bytes holds no answer".to_owned()),
        size => Ok(size),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| (0.0..=1e6).contains(rate));
    rate.ok_or_else(|| "a rate is a number of messages per second, 0 for no limit".to_owned())
}

impl ServeArgs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<ExitCode> {
        let settings = self.settings.load(&self.addr, &self.address)?;
        let addrs = settings.address.resolve(self.address.family())?;
        self.check_exposure(&addrs)?;
        // Entropy is asked for here once, where its lack can still be said.
        getrandom::fill(&mut [0; 32])?;
        let folders = Folders { files: settings.file_path.clone(), index: settings.index.clone() };
        let (records, opened) = Records::open(RealDisk, folders)?;
        report_opened(&opened);
        let config = self.config(&settings, self.load_users()?, output)?;
        let stop = Stop::on_signals()?;
        let format = if self.json_stream { Format::JsonStream } else { Format::Lines(output.style) };
        let mut events = Announcing { events: EventWriter::new(format), insecure_lan: self.insecure_lan };
        server::run(&config, records, &addrs, &stop, &mut events)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Who may listen where: passwords never cross a network, and a network is let in only on purpose.
    fn check_exposure(&self, addrs: &[SocketAddr]) -> Result<(), UsageError> {
        let Some(exposed) = addrs.iter().find(|addr| !addr.ip().is_loopback()) else { return Ok(()) };
        match self.auth {
            Auth::Hmac => Ok(()),
            Auth::Password => Err(UsageError::new(format!(
                "--auth password on {exposed}: passwords would cross the network in the clear; use --auth hmac"
            ))),
            Auth::None if self.insecure_lan => Ok(()),
            Auth::None => Err(UsageError::new(format!(
                "{exposed} is open to the network, and without --auth anyone may enter: \
                 use --auth hmac, or --insecure-lan if that is what you want"
            ))),
        }
    }

    fn load_users(&self) -> anyhow::Result<Users> {
        match self.auth {
            Auth::None => Ok(Users::default()),
            Auth::Password | Auth::Hmac => Ok(store::users::load(&self.users.path()?)?),
        }
    }

    fn config(&self, settings: &Settings, users: Users, output: &Output) -> anyhow::Result<Config> {
        let connections = server::fitting_connections(settings.max_connections);
        if connections < settings.max_connections {
            let (limit, asked) = (net::descriptor_limit(), settings.max_connections);
            Output::note(&format!(
                "warning: {connections} connections instead of {asked}: the limit of {limit} descriptors allows no \
                 more (`ulimit -n`)"
            ));
        }
        let exposed = self.auth == Auth::None && self.insecure_lan;
        Ok(Config {
            service: service::Config {
                auth: self.auth,
                users,
                limits: self.service_limits(connections),
                rooms: self.rooms.clone(),
                read_only: exposed,
                server_name: self.server_name.clone(),
                notices: output.verbose > 0 || self.json_stream,
            },
            framing: self.framing,
            outbox: self.limits.max_unsent,
            stuck: self.limits.stuck_timeout,
            refresh: Refresh { every: settings.update_timer, threshold: settings.update_threshold },
            trace: self.trace,
            options: self.capture.add_to(self.socket.options())?,
            show_options: self.socket.show_options,
            backlog: self.backlog.backlog,
        })
    }

    fn service_limits(&self, connections: usize) -> Limits {
        let LimitArgs { rate_limit, rate_burst, .. } = self.limits;
        Limits {
            connections,
            unauthenticated: self.limits.max_unauthenticated,
            login: self.limits.login_timeout,
            frame: self.limits.frame_timeout,
            idle: self.limits.idle_timeout,
            max_frame: self.framing.max_frame(self.limits.max_frame),
            rate: (rate_limit > 0.0).then_some(Rate { per_second: rate_limit, burst: rate_burst }),
            rooms: self.limits.max_rooms,
        }
    }
}

/// What an operator should know about the records before clients come.
fn report_opened(opened: &store::Opened) {
    if opened.temporaries > 0 {
        let files = counted(opened.temporaries as u64, "temporary file");
        Output::note(&format!("note: {files} of an interrupted write removed"));
    }
    for (name, reason) in &opened.odd {
        let name = crate::text::escape(name.as_bytes());
        Output::note(&format!("warning: {name} in the records' folder is no record: {reason}"));
    }
}

/// Events to stdout; once the address is known (with port 0 the system chooses it), the class is told of it.
struct Announcing {
    events: EventWriter<Event>,
    insecure_lan: bool,
}

impl Events<Event> for Announcing {
    fn event(&mut self, event: Event) {
        let bound = match &event {
            Event::Server(ServerEvent::Listening { address, .. }) => Some(*address),
            _ => None,
        };
        self.events.event(event);
        if let Some(address) = bound.filter(|_| self.insecure_lan) {
            announce(address);
        }
    }
}

/// Says what `--insecure-lan` means, and how the class joins.
fn announce(bound: SocketAddr) {
    if bound.ip().is_loopback() {
        return Output::note("note: records are read-only; nobody but this machine can enter");
    }
    Output::note("warning: anyone on the network may enter; records are read-only");
    let outward = || net::socket::outward_ip().map(IpAddr::from);
    if let Some(host) = if bound.ip().is_unspecified() { outward() } else { Some(bound.ip()) } {
        let at = SocketAddr::new(host, bound.port());
        Output::note(&format!("the class joins with: netlab say {at} --room default --user NAME TEXT"));
    }
}
