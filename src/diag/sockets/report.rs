//! What `netlab sockets` shows: rows, and what their columns mean. Plain data that lays itself out.

use std::collections::HashMap;
use std::net::SocketAddr;

use serde::Serialize;

use crate::net::table::{Process, SocketRow, State, TcpInfo, Transport};
use crate::report::{Block, Report, Table};

/// A socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// TCP or UDP.
    pub transport: Transport,
    /// The state: RFC 9293's name; `UNCONN` of a UDP socket that is not connected, as `ss` has it.
    pub state: &'static str,
    /// Received and not read, in bytes; on a listener, connections that wait to be accepted.
    pub recv_q: u32,
    /// Sent and not acknowledged, in bytes; on a listener, how many connections may wait.
    pub send_q: u32,
    /// How many connections may wait to be accepted; `None` unless it is a listener.
    pub backlog: Option<u32>,
    /// This end.
    pub local: SocketAddr,
    /// The other end; `None` where there is none.
    pub remote: Option<SocketAddr>,
    /// The owner's user id; `None` where no process has the socket any more.
    pub uid: Option<u32>,
    /// The owner's name.
    pub owner: Option<String>,
    /// The process that has it open; `None` where there is none, or it is another user's.
    pub process: Option<Process>,
    /// TCP_INFO of a connection.
    pub tcp_info: Option<TcpInfo>,
}

impl Row {
    pub(super) fn new(
        row: &SocketRow,
        owner: &mut dyn FnMut(u32) -> String,
        processes: &HashMap<u32, Process>,
    ) -> Row {
        let listens = row.state == State::Listen;
        // TIME-WAIT and what else outlives its process has no inode; the kernel then reports user 0, who is not
        // the owner.
        let uid = Some(row.uid).filter(|_| row.inode != 0);
        Row {
            transport: row.transport,
            state: if (row.transport, row.state) == (Transport::Udp, State::Close) {
                "UNCONN"
            } else {
                row.state.name()
            },
            recv_q: row.recv_q,
            send_q: row.send_q,
            backlog: listens.then_some(row.send_q),
            local: row.local,
            remote: Some(row.remote).filter(|remote| remote.port() != 0),
            uid,
            owner: uid.map(owner),
            process: processes.get(&row.inode).cloned(),
            tcp_info: row.tcp_info.filter(|_| row.transport == Transport::Tcp && !listens),
        }
    }

    /// The cells that every table has.
    fn cells(&self) -> [String; 6] {
        [
            self.transport.name().to_owned(),
            self.state.to_owned(),
            self.recv_q.to_string(),
            self.send_q.to_string(),
            self.local.to_string(),
            self.remote(),
        ]
    }

    /// The other end, or a star for anyone.
    #[must_use]
    pub fn remote(&self) -> String {
        self.remote.map_or_else(|| "*".to_owned(), |remote| remote.to_string())
    }

    /// Owner and process in words; a dash where nobody owns it.
    #[must_use]
    pub fn owner(&self, with_process: bool) -> String {
        match (&self.process, &self.owner) {
            (Some(process), _) if with_process => format!("{} ({})", process.pid, process.name),
            (_, Some(owner)) => owner.clone(),
            (_, None) => "-".to_owned(),
        }
    }
}

/// The socket table.
#[derive(Clone, Debug, Serialize)]
pub struct SocketsReport {
    /// The sockets.
    pub sockets: Vec<Row>,
    /// Show processes in place of owners.
    #[serde(skip)]
    pub show_processes: bool,
    /// Show TCP_INFO.
    #[serde(skip)]
    pub show_tcp_info: bool,
}

impl SocketsReport {
    /// The table of sockets; with `marks`, one for each row in front of it.
    #[must_use]
    pub fn table(&self, marks: Option<&[String]>) -> Table {
        let last = if self.show_processes { "process" } else { "owner" };
        let titles = ["proto", "state", ">recv-q", ">send-q", "local", "peer", last];
        let mut table =
            Table::new(&if marks.is_some() { [&[""], &titles[..]].concat() } else { titles.to_vec() });
        for (at, row) in self.sockets.iter().enumerate() {
            let mut cells = row.cells().to_vec();
            cells.push(row.owner(self.show_processes));
            if let Some(marks) = marks {
                cells.insert(0, marks.get(at).cloned().unwrap_or_default());
            }
            table.rows.push(cells);
        }
        table
    }

    /// TCP_INFO of the connections.
    fn tcp_info(&self) -> Table {
        let mut table =
            Table::new(&["local", "peer", ">rtt", ">± rtt", ">cwnd", ">mss", ">segs out", ">retrans"]);
        for row in &self.sockets {
            let Some(info) = &row.tcp_info else { continue };
            let ms = |us: u32| format!("{}.{:03} ms", us / 1_000, us % 1_000);
            table.row([
                row.local.to_string(),
                row.remote(),
                ms(info.rtt_us),
                ms(info.rtt_var_us),
                info.cwnd.to_string(),
                info.mss.to_string(),
                info.segments_sent.to_string(),
                info.retransmits.to_string(),
            ]);
        }
        table
    }

    /// What the rows shown mean: the columns, and states that ask for an explanation.
    fn notes(&self) -> Vec<String> {
        let any = |state: State| self.sockets.iter().any(|row| row.state == state.name());
        let mut notes = Vec::new();
        if any(State::Listen) {
            notes.push(
                "LISTEN: recv-q counts connections that wait to be accepted, send-q says how many may (the backlog)."
                    .to_owned(),
            );
        }
        if self.sockets.iter().any(|row| row.remote.is_some()) {
            notes.push(
                "Others: recv-q is bytes received and not read, send-q bytes sent and not acknowledged."
                    .into(),
            );
        }
        for row in self.sockets.iter().filter(|row| row.backlog.is_some_and(|most| row.recv_q > most)) {
            let queue = row.recv_q;
            notes.push(format!(
                "{}: the queue is full ({queue} wait): the kernel drops further SYNs.",
                row.local
            ));
        }
        if any(State::CloseWait) {
            notes.push("CLOSE-WAIT: the peer has closed; this program has not called close() yet.".into());
        }
        if any(State::FinWait2) {
            notes.push("FIN-WAIT-2: this end has closed; the peer has not closed its own yet.".into());
        }
        if any(State::TimeWait) {
            notes.push(
                "TIME-WAIT: this end closed first; the kernel keeps the pair of addresses for a minute or so, without a process."
                    .into(),
            );
        }
        notes
    }
}

impl Report for SocketsReport {
    fn blocks(&self) -> Vec<Block> {
        if self.sockets.is_empty() {
            return vec![Block::Text("no such sockets".to_owned())];
        }
        let mut blocks = vec![Block::Table(self.table(None))];
        let connections = self.tcp_info();
        if self.show_tcp_info && !connections.rows.is_empty() {
            blocks.extend([Block::Text(String::new()), Block::Table(connections)]);
        }
        blocks.push(Block::Text(String::new()));
        blocks.extend(self.notes().into_iter().map(Block::Text));
        blocks
    }
}
