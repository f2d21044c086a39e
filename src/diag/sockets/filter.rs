//! Which sockets are meant: transport, state, address, in the words of `ss`.

use std::net::IpAddr;

use crate::net::table::{SocketRow, State, Transport};

/// Which sockets to list. The default is all of them.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// One transport alone.
    pub transport: Option<Transport>,
    /// Listeners alone: TCP sockets that listen, UDP sockets that hear everyone.
    pub listening: bool,
    /// These states alone; empty for all.
    pub states: Vec<StateFilter>,
    /// IPv4 alone (`Some(false)`) or IPv6 alone.
    pub v6: Option<bool>,
    /// Sockets that have this at one of their ends.
    pub end: Option<End>,
}

/// An address, a port, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Any of these addresses; empty for all.
    pub ips: Vec<IpAddr>,
    /// The port; `None` for all.
    pub port: Option<u16>,
}

/// A state, or one of the groups that `ss` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateFilter {
    /// This state.
    Is(State),
    /// Every state.
    All,
    /// All but LISTEN and CLOSED.
    Connected,
    /// Connected, and the handshake is over.
    Synchronized,
    /// What the kernel keeps without a socket: TIME-WAIT and SYN-RECEIVED.
    Bucket,
    /// All others.
    Big,
}

impl StateFilter {
    /// The groups by their names.
    const GROUPS: [(&'static str, StateFilter); 5] = [
        ("all", StateFilter::All),
        ("connected", StateFilter::Connected),
        ("synchronized", StateFilter::Synchronized),
        ("bucket", StateFilter::Bucket),
        ("big", StateFilter::Big),
    ];
    /// What `ss` calls a state otherwise than the RFC does, and what it is called for short.
    const ALIASES: [(&'static str, State); 8] = [
        ("estab", State::Established),
        ("syn-recv", State::SynReceived),
        ("fin-wait1", State::FinWait1),
        ("fin-wait2", State::FinWait2),
        ("listening", State::Listen),
        ("unconn", State::Close),
        ("unconnected", State::Close),
        ("close", State::Close),
    ];

    /// Reads a name: the RFC's or that of `ss`, in any case, with `-` or `_`.
    #[must_use]
    pub fn parse(name: &str) -> Option<StateFilter> {
        let name = name.to_ascii_lowercase().replace('_', "-");
        let group = StateFilter::GROUPS.iter().find(|(group, _)| *group == name).map(|(_, filter)| *filter);
        let rfc = || State::ALL.into_iter().find(|state| state.name().eq_ignore_ascii_case(&name));
        let alias = || StateFilter::ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, state)| *state);
        group.or_else(|| rfc().or_else(alias).map(StateFilter::Is))
    }

    /// Every name that [`parse`](StateFilter::parse) reads, without the short forms.
    #[must_use]
    pub fn names() -> Vec<String> {
        let states = State::ALL.into_iter().map(|state| state.name().to_ascii_lowercase());
        states.chain(StateFilter::GROUPS.iter().map(|(name, _)| (*name).to_owned())).collect()
    }

    fn fits(self, state: State) -> bool {
        let bucket = matches!(state, State::TimeWait | State::SynReceived);
        let connected = !matches!(state, State::Listen | State::Close);
        match self {
            StateFilter::Is(wanted) => state == wanted,
            StateFilter::All => true,
            StateFilter::Connected => connected,
            StateFilter::Synchronized => connected && state != State::SynSent,
            StateFilter::Bucket => bucket,
            StateFilter::Big => !bucket,
        }
    }
}

impl Filter {
    /// True if sockets of this transport may fit.
    #[must_use]
    pub fn takes(&self, transport: Transport) -> bool {
        self.transport.is_none_or(|wanted| wanted == transport)
    }

    /// True if the socket is meant.
    #[must_use]
    pub fn fits(&self, row: &SocketRow) -> bool {
        let hears_everyone =
            row.state == if row.transport == Transport::Tcp { State::Listen } else { State::Close };
        self.takes(row.transport)
            && (!self.listening || hears_everyone)
            && (self.states.is_empty() || self.states.iter().any(|state| state.fits(row.state)))
            && self.v6.is_none_or(|v6| row.local.is_ipv6() == v6)
            && self.end.as_ref().is_none_or(|end| end.fits(row))
    }
}

impl End {
    fn fits(&self, row: &SocketRow) -> bool {
        // A socket that is bound to every address is bound to the one that was asked for.
        let bound_to_all = row.local.ip().is_unspecified();
        let has_ip = |ip: IpAddr| self.ips.is_empty() || self.ips.contains(&ip.to_canonical());
        let has_port = |port: u16| self.port.is_none_or(|wanted| wanted == port);
        let at_local = has_port(row.local.port()) && (bound_to_all || has_ip(row.local.ip()));
        at_local || (row.remote.port() != 0 && has_port(row.remote.port()) && has_ip(row.remote.ip()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(transport: Transport, state: State, local: &str, remote: &str) -> SocketRow {
        let (local, remote) = (local.parse().unwrap(), remote.parse().unwrap());
        SocketRow { transport, state, local, remote, recv_q: 0, send_q: 0, uid: 0, inode: 0, tcp_info: None }
    }

    #[test]
    fn states_are_read_in_either_spelling() {
        for (name, state) in [
            ("LISTEN", State::Listen),
            ("listening", State::Listen),
            ("estab", State::Established),
            ("fin-wait-1", State::FinWait1),
            ("FIN_WAIT1", State::FinWait1),
            ("syn-recv", State::SynReceived),
            ("closed", State::Close),
            ("unconn", State::Close),
        ] {
            assert_eq!(StateFilter::parse(name), Some(StateFilter::Is(state)), "{name}");
        }
        assert_eq!(StateFilter::parse("connected"), Some(StateFilter::Connected));
        assert!(StateFilter::names().iter().all(|name| StateFilter::parse(name).is_some()));
        for wrong in ["", "open", "time", "established "] {
            assert_eq!(StateFilter::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn each_condition_holds_by_itself() {
        let listener = row(Transport::Tcp, State::Listen, "0.0.0.0:5000", "0.0.0.0:0");
        let server =
            row(Transport::Tcp, State::Established, "[::ffff:127.0.0.1]:5000", "[::ffff:127.0.0.1]:40000");
        let udp = row(Transport::Udp, State::Close, "127.0.0.1:5000", "0.0.0.0:0");
        let which = |filter: Filter| [&listener, &server, &udp].map(|row| filter.fits(row));
        assert_eq!(which(Filter::default()), [true; 3]);
        assert_eq!(which(Filter { listening: true, ..Filter::default() }), [true, false, true]);
        let tcp = Filter { transport: Some(Transport::Tcp), ..Filter::default() };
        assert_eq!(which(tcp), [true, true, false]);
        assert_eq!(which(Filter { v6: Some(true), ..Filter::default() }), [false, true, false]);
        let states = vec![StateFilter::Is(State::Established), StateFilter::Is(State::Close)];
        assert_eq!(which(Filter { states, ..Filter::default() }), [false, true, true]);
        let end = |ips: &[&str], port| Filter {
            end: Some(End { ips: ips.iter().map(|ip| ip.parse().unwrap()).collect(), port }),
            ..Filter::default()
        };
        assert_eq!(
            which(end(&["127.0.0.1"], Some(5000))),
            [true; 3],
            "0.0.0.0 includes it, ::ffff: means it"
        );
        assert_eq!(which(end(&[], Some(40000))), [false, true, false], "the other end counts");
        assert_eq!(which(end(&["127.0.0.2"], None)), [true, false, false]);
        assert_eq!(which(end(&[], Some(0))), [false; 3]);
    }
}
