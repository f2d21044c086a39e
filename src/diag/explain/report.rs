//! How an explanation is laid out as text: a screen at most for a topic.

use crate::report::{Block, Report, Table};
use crate::text::escape;

use super::{AddressFacts, Explanation, Group, Part, PortFacts, Suggestion, Topic};

impl Report for Explanation {
    fn blocks(&self) -> Vec<Block> {
        let mut blocks = Blocks(Vec::new());
        for topic in &self.topics {
            blocks.topic(topic);
        }
        if let Some(facts) = &self.address {
            blocks.address(facts);
        }
        if let Some(facts) = &self.port {
            blocks.port(facts);
        }
        if let Some(mesh) = self.mesh {
            blocks.begin();
            blocks.text(mesh.sentence());
        }
        if let Some(note) = &self.note {
            blocks.begin();
            blocks.text(note.clone());
        }
        if !self.found {
            blocks.unknown(&escape(self.query.as_bytes()), &self.suggestions);
        }
        if !self.index.is_empty() {
            blocks.index(&self.index);
        }
        blocks.0
    }

    fn succeeded(&self) -> bool {
        self.found
    }
}

/// Blocks being laid out.
struct Blocks(Vec<Block>);

impl Blocks {
    fn text(&mut self, text: String) {
        self.0.push(Block::Text(text));
    }

    /// An empty line, except at the top.
    fn begin(&mut self) {
        if !self.0.is_empty() {
            self.text(String::new());
        }
    }

    fn topic(&mut self, topic: &Topic) {
        self.begin();
        self.text(format!("{}: {}", topic.name, topic.title));
        if let Some(numbers) = topic.numbers {
            let on = |system, number: Option<i32>| number.map(|number| format!("{system} {number}"));
            let all =
                [on("Linux", numbers.linux), on("macOS", numbers.macos), on("Windows", numbers.windows)];
            self.text(all.into_iter().flatten().collect::<Vec<_>>().join(", "));
        }
        for section in &topic.sections {
            self.begin();
            if !section.heading.is_empty() {
                self.text(section.heading.to_uppercase());
            }
            for (at, part) in section.parts.iter().enumerate() {
                match part {
                    Part::Text(text) => self.text((*text).to_owned()),
                    Part::Code { lines, .. } => {
                        if at > 0 && matches!(section.parts[at - 1], Part::Code { .. }) {
                            self.text("or".to_owned());
                        }
                        self.code(lines);
                    }
                }
            }
        }
        self.begin();
        let see: Vec<String> = topic.see_also.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
        self.line("see also", &see.join(", "));
        self.line("lab", topic.lab.unwrap_or_default());
        self.line("sources", &topic.sources.join("; "));
    }

    fn line(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.text(format!("{name}: {value}"));
        }
    }

    fn code(&mut self, lines: &str) {
        let indented: Vec<String> = lines.lines().map(|line| format!("    {line}")).collect();
        self.0.push(Block::Verbatim(indented.join("\n")));
    }

    fn address(&mut self, facts: &AddressFacts) {
        self.begin();
        let AddressFacts { address, version, kind, block, meaning, source, bytes, topic } = facts;
        self.text(format!("{address}: {kind} IPv{version} address"));
        self.text((*meaning).to_owned());
        self.text(format!("block: {block} ({source})"));
        self.text(format!("on the wire: {bytes}"));
        self.text(format!("see also: `{topic}`"));
    }

    fn port(&mut self, facts: &PortFacts) {
        self.begin();
        self.text(format!("port {}", facts.port));
        self.text(facts.meaning.to_owned());
        self.line("usually", facts.service.unwrap_or_default());
        self.line("in this course", facts.course.unwrap_or_default());
        if facts.linux_ephemeral {
            let range = "Linux gives it to clients as their own port (32768 to 60999 by default), so a server may \
                         find it taken.";
            self.text(range.to_owned());
        }
        self.text("see also: `port`, `ephemeral-ports`, `well-known-ports`".to_owned());
    }

    fn unknown(&mut self, query: &str, suggestions: &[Suggestion]) {
        self.text(format!("No topic is called `{query}`."));
        if suggestions.is_empty() {
            self.text("`netlab explain` lists them all.".to_owned());
        } else {
            self.text("Perhaps one of these:".to_owned());
            self.0.push(Block::Table(table(suggestions)));
        }
    }

    fn index(&mut self, index: &[Group]) {
        for group in index {
            self.begin();
            self.text(group.group.to_uppercase());
            self.0.push(Block::Table(table(&group.topics)));
        }
        self.begin();
        self.text(
            "`netlab explain TOPIC` explains one; so does an error's number, an address, `port N`, `mesh N`, or a \
             whole error message in quotes."
                .to_owned(),
        );
    }
}

fn table(topics: &[Suggestion]) -> Table {
    let mut table = Table::new(&["topic", "what it is"]);
    for topic in topics {
        table.row([topic.name.to_owned(), topic.title.to_owned()]);
    }
    table
}
