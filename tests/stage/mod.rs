//! The chat's screen without a terminal and without a network: events in, pictures and effects out.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use netlab::client::{ConnectRequest, Credentials, Direction, LinkEvent, ServerMessage, WireChunk};
use netlab::framing::{Content, Encoder, Framing};
use netlab::net::Address;
use netlab::protocol::codec;
use netlab::protocol::message::{Answer, Request, Tag};
use netlab::tui::{Effect, Event, Given, Model, Now, Remembered, Secret, Start, Theme, draw, update};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The sizes that every screen is drawn at.
pub const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (40, 10)];

/// A chat on a stage: it has a clock that is set by hand.
pub struct Stage {
    pub model: Model,
    size: (u16, u16),
    start: Instant,
    passed: Duration,
    terminal: Terminal<TestBackend>,
}

pub fn request(credentials: Credentials) -> ConnectRequest {
    ConnectRequest::new(Address::new("127.0.0.1", 12_000), credentials)
}

impl Stage {
    /// The form of somebody who gave no flags.
    pub fn new(size: (u16, u16)) -> Stage {
        Stage::with(size, Credentials::Anonymous, None, Theme::new(false, false))
    }

    pub fn with(size: (u16, u16), who: Credentials, ask: Option<Secret>, theme: Theme) -> Stage {
        let start =
            Start { request: request(who), given: Given::default(), ask, remembered: Remembered::default() };
        Stage::start(size, start, theme)
    }

    pub fn start(size: (u16, u16), what: Start, theme: Theme) -> Stage {
        let start = Instant::now();
        let now = Now { instant: start, time: noon() };
        let model = Model::new(what, theme, TimeZone::UTC, size, now);
        let terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        Stage { model, size, start, passed: Duration::ZERO, terminal }
    }

    /// Ada is connected and in `lab`, with Bob and Zoë's machine.
    pub fn in_lab(size: (u16, u16)) -> Stage {
        let mut stage = Stage::new(size);
        stage.enter_lab();
        stage
    }

    pub fn enter_lab(&mut self) {
        self.link(LinkEvent::Connecting { address: Address::new("127.0.0.1", 12_000), attempt: 1 });
        self.link(LinkEvent::Connected { address: "127.0.0.1:12000".parse().unwrap() });
        self.link(LinkEvent::LoggedIn { username: Some("ada".into()), room: Some("default".into()) });
        self.server(r#"{"type":"ROOM_JOINED","data":{"room":"lab","username":"ada","members":3,"seq":4}}"#);
        self.server(r#"{"type":"ROOM_LISTED","data":{"rooms":[{"room":"default","members":12},{"room":"lab","members":3},{"room":"a-room-with-a-long-name","members":1}]}}"#);
        self.server(
            r#"{"type":"ROOM_MEMBERS","data":{"room":"lab","members":["bob","ada","zoe.m"],"total":3}}"#,
        );
        self.link(LinkEvent::Rtt(Duration::from_micros(420)));
    }

    pub fn say(&mut self, from: &str, seq: u64, text: &str) {
        let text = serde_json::to_string(text).unwrap();
        self.server(&format!(
            r#"{{"type":"ROOM_ECHOED","data":{{"room":"lab","from":"{from}","text":{text},"seq":{seq}}}}}"#
        ));
    }

    /// A message of the server, as it stands on the wire.
    pub fn server(&mut self, json: &str) -> Vec<Effect> {
        let envelope = codec::decode_answer(json.as_bytes()).unwrap_or_else(|_| panic!("no message: {json}"));
        let message = ServerMessage {
            answer: Answer::into_owned(envelope.message),
            id: envelope.id.map(Tag::into_owned),
        };
        self.link(LinkEvent::Message(message))
    }

    pub fn link(&mut self, event: LinkEvent) -> Vec<Effect> {
        self.event(Event::Link(event))
    }

    pub fn event(&mut self, event: Event) -> Vec<Effect> {
        if let Event::Resize(columns, rows) = event {
            self.size = (columns, rows);
            self.terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        }
        let now = self.now();
        update(&mut self.model, now, event)
    }

    pub fn now(&self) -> Now {
        Now { instant: self.start + self.passed, time: noon() + self.passed }
    }

    /// So much time passes.
    pub fn pass(&mut self, time: Duration) -> Vec<Effect> {
        self.passed += time;
        self.event(Event::Tick)
    }

    pub fn press(&mut self, code: KeyCode) -> Vec<Effect> {
        self.event(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    pub fn control(&mut self, c: char) -> Vec<Effect> {
        self.event(Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL)))
    }

    /// Types a text, key by key.
    pub fn keys(&mut self, text: &str) {
        for c in text.chars() {
            self.press(KeyCode::Char(c));
        }
    }

    /// Types a text and Enter.
    pub fn enter(&mut self, text: &str) -> Vec<Effect> {
        self.keys(text);
        self.press(KeyCode::Enter)
    }

    /// Bytes on the wire, framed.
    pub fn wire(&mut self, direction: Direction, payloads: &[&str], cut: usize) {
        let mut bytes = Vec::new();
        for payload in payloads {
            Encoder::new(Framing::U16, 65_535).encode(Content::Json, payload.as_bytes(), &mut bytes).unwrap();
        }
        bytes.truncate(bytes.len() - cut);
        let at = SystemTime::from(noon() + Duration::from_millis(1_234));
        self.link(LinkEvent::Wire(WireChunk { direction, at, bytes }));
    }

    /// Draws on a terminal of another size than the chat knows of.
    pub fn shrink_unseen(&mut self, (columns, rows): (u16, u16)) {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal.draw(|frame| draw(&self.model, frame)).unwrap();
    }

    /// The picture, without the spaces at the ends of its lines.
    pub fn picture(&mut self) -> String {
        self.terminal.draw(|frame| draw(&self.model, frame)).unwrap();
        let buffer = self.terminal.backend().buffer();
        let mut lines = Vec::new();
        for y in 0..self.size.1 {
            let mut line = String::new();
            let mut x = 0;
            while x < self.size.0 {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                // Behind a wide character stands a cell that is not drawn.
                x += u16::try_from(unicode_width(symbol)).unwrap().max(1);
            }
            lines.push(line.trim_end().to_owned());
        }
        lines.join("\n")
    }

    /// True if no cell of the picture has a colour.
    pub fn is_plain(&mut self) -> bool {
        use ratatui::style::Color;
        self.terminal.draw(|frame| draw(&self.model, frame)).unwrap();
        let buffer = self.terminal.backend().buffer();
        buffer.content().iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset)
    }

    /// The line of the picture that contains `text`.
    pub fn line_with(&mut self, text: &str) -> String {
        let picture = self.picture();
        let found = picture.lines().find(|line| line.contains(text));
        found.unwrap_or_else(|| panic!("no {text:?} in\n{picture}")).to_owned()
    }

    pub fn shows(&mut self, text: &str) -> bool {
        self.picture().contains(text)
    }
}

fn unicode_width(symbol: &str) -> usize {
    use ratatui::buffer::CellWidth;
    usize::from(symbol.cell_width())
}

/// 2026-03-09, three minutes after noon.
pub fn noon() -> Timestamp {
    "2026-03-09T12:03:04Z".parse().unwrap()
}

/// The requests among the effects, as they stand on the wire, without their ids.
pub fn sent(effects: &[Effect]) -> Vec<String> {
    let requests = effects.iter().filter_map(|effect| match effect {
        Effect::Send { request, .. } => Some(request),
        _ => None,
    });
    requests.map(encoded).collect()
}

fn encoded(request: &Request<'_>) -> String {
    let mut json = Vec::new();
    codec::encode_request(request, None, &mut json);
    String::from_utf8(json).unwrap()
}

/// The id of the first request among the effects.
pub fn id_of(effects: &[Effect]) -> u64 {
    let id = effects.iter().find_map(|effect| match effect {
        Effect::Send { id, .. } => Some(*id),
        _ => None,
    });
    id.expect("a request")
}

pub fn quits(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Quit))
}

pub fn connects(effects: &[Effect]) -> Option<&ConnectRequest> {
    effects.iter().find_map(|effect| match effect {
        Effect::Connect(request) => Some(&**request),
        _ => None,
    })
}
