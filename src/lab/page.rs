//! A lab's page, parsed: headings, paragraphs, lists, tables and blocks, in the sections they stand in.
//!
//! CommonMark with tables, read by pulldown-cmark; how it looks is the renderer's business.

use std::iter::Peekable;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::block::Block;

/// A page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Its title.
    pub title: String,
    /// The parts between its `##` headings; the first one, in front of them, has no title.
    pub sections: Vec<Section>,
}

/// What stands under a `##` heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// The parts between its `###` headings; the first one, in front of them, has no title.
    pub parts: Vec<Part>,
}

/// What stands under a `###` heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// The heading: `Predict`, `Run`, `Observe`, `Explain`.
    pub title: String,
    /// What it holds.
    pub items: Vec<Item>,
}

/// A block of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A heading below `###`.
    Heading(Inline),
    /// A paragraph.
    Paragraph(Inline),
    /// A list; its number is the first one's, if they have numbers.
    List(Option<u64>, Vec<Vec<Item>>),
    /// A box.
    Quote(Vec<Item>),
    /// A table: titles and rows.
    Table(Vec<Inline>, Vec<Vec<Inline>>),
    /// A fenced block.
    Code(Block),
}

/// Text with its emphasis.
pub type Inline = Vec<Span>;

/// Text of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The text.
    pub text: String,
    /// How it is meant.
    pub kind: SpanKind,
}

/// How text is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpanKind {
    /// As it is.
    #[default]
    Plain,
    /// Important.
    Strong,
    /// Code.
    Code,
}

/// An option of a prediction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// `A`, `B`, ...
    pub letter: char,
    /// Its name.
    pub name: String,
}

impl Page {
    /// The titles of its rounds.
    pub fn rounds(&self) -> impl Iterator<Item = &str> {
        self.sections.iter().filter(|section| section.is_round()).map(|section| section.title.as_str())
    }
}

impl Section {
    /// True for a round, which has a prediction.
    #[must_use]
    pub fn is_round(&self) -> bool {
        self.title.starts_with("Round ")
    }

    /// The blocks of its parts.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.parts.iter().flat_map(|part| &part.items).filter_map(|item| match item {
            Item::Code(block) => Some(block),
            _ => None,
        })
    }
}

impl Part {
    /// The options of a prediction: `- **A. NAME.** What is predicted.`
    #[must_use]
    pub fn choices(&self) -> Vec<Choice> {
        let lists = self.items.iter().filter_map(|item| match item {
            Item::List(_, entries) => Some(entries),
            _ => None,
        });
        let first = |entry: &Vec<Item>| match entry.first() {
            Some(Item::Paragraph(text)) => choice(text),
            _ => None,
        };
        lists.flatten().filter_map(first).collect()
    }
}

fn choice(text: &Inline) -> Option<Choice> {
    let span = text.first().filter(|span| span.kind == SpanKind::Strong)?;
    let (letter, name) = span.text.split_once(". ")?;
    let letter = letter.parse().ok().filter(char::is_ascii_uppercase)?;
    Some(Choice { letter, name: name.trim_end_matches('.').to_owned() })
}

/// The text without its emphasis; code in backquotes, where its edges would else be lost.
#[must_use]
pub fn plain(text: &Inline) -> String {
    let shown = |span: &Span| match span.kind {
        SpanKind::Code => format!("`{}`", span.text),
        _ => span.text.clone(),
    };
    text.iter().map(shown).collect()
}

/// Reads a page. Any text is one.
#[must_use]
pub fn parse(markdown: &str) -> Page {
    let mut events = Parser::new_ext(markdown, Options::ENABLE_TABLES).peekable();
    let mut page = Page {
        title: String::new(),
        sections: vec![Section { parts: vec![Part::default()], ..Section::default() }],
    };
    while let Some(event) = events.next() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => heading(&mut page, level, &inline(&mut events)),
            event => {
                if let Some(item) = item(event, &mut events) {
                    last_part(&mut page).items.push(item);
                }
            }
        }
    }
    page
}

fn last_part(page: &mut Page) -> &mut Part {
    let section = page.sections.last_mut().expect("there is a first section");
    section.parts.last_mut().expect("a section has a first part")
}

fn heading(page: &mut Page, level: HeadingLevel, text: &Inline) {
    let title = plain(text);
    match level {
        HeadingLevel::H1 => page.title = title,
        HeadingLevel::H2 => page.sections.push(Section { title, parts: vec![Part::default()] }),
        HeadingLevel::H3 => {
            let section = page.sections.last_mut().expect("there is a first section");
            section.parts.push(Part { title, items: Vec::new() });
        }
        _ => last_part(page).items.push(Item::Heading(text.clone())),
    }
}

type Events<'a> = Peekable<Parser<'a>>;

/// The block that begins with `event`; rules and HTML, which the labs do without, are none.
fn item(event: Event<'_>, events: &mut Events<'_>) -> Option<Item> {
    match event {
        Event::Start(Tag::Paragraph) => Some(Item::Paragraph(inline(events))),
        Event::Start(Tag::List(first)) => Some(Item::List(first, entries(events))),
        Event::Start(Tag::BlockQuote(_)) => Some(Item::Quote(items(events))),
        Event::Start(Tag::Table(_)) => Some(table(events)),
        Event::Start(Tag::CodeBlock(kind)) => {
            let info = match &kind {
                CodeBlockKind::Fenced(info) => info.as_ref(),
                CodeBlockKind::Indented => "",
            };
            let mut block = Block::open(info);
            block.lines = plain(&inline(events)).lines().map(str::to_owned).collect();
            Some(Item::Code(block))
        }
        _ => None,
    }
}

/// Blocks up to the end of what holds them.
fn items(events: &mut Events<'_>) -> Vec<Item> {
    let mut found = Vec::new();
    while let Some(event) = events.peek() {
        match event {
            Event::End(_) => {
                events.next();
                break;
            }
            // A tight list has no paragraphs: its text is one.
            Event::Start(Tag::Strong | Tag::Emphasis | Tag::Link { .. })
            | Event::Text(_)
            | Event::Code(_) => {
                found.push(Item::Paragraph(inline(events)));
            }
            _ => {
                let event = events.next().expect("peeked at");
                found.extend(item(event, events));
            }
        }
    }
    found
}

fn entries(events: &mut Events<'_>) -> Vec<Vec<Item>> {
    let mut found = Vec::new();
    while let Some(Event::Start(Tag::Item)) = events.next() {
        found.push(items(events));
    }
    found
}

fn table(events: &mut Events<'_>) -> Item {
    let (mut titles, mut rows, mut row) = (Vec::new(), Vec::new(), Vec::new());
    for_each_until_table_end(events, |events, event| match event {
        Event::Start(Tag::TableCell) => row.push(inline(events)),
        Event::End(TagEnd::TableHead) => titles = std::mem::take(&mut row),
        Event::End(TagEnd::TableRow) => rows.push(std::mem::take(&mut row)),
        _ => {}
    });
    Item::Table(titles, rows)
}

fn for_each_until_table_end<'a>(events: &mut Events<'a>, mut each: impl FnMut(&mut Events<'a>, Event<'a>)) {
    while let Some(event) = events.next() {
        if event == Event::End(TagEnd::Table) {
            return;
        }
        each(events, event);
    }
}

/// Text up to the end of its block. The end of a block that holds this one is left to it.
fn inline(events: &mut Events<'_>) -> Inline {
    let mut spans = Inline::new();
    let mut kind = SpanKind::Plain;
    while let Some(event) = events.peek() {
        match event {
            Event::Start(Tag::Strong) => kind = SpanKind::Strong,
            Event::End(TagEnd::Strong) => kind = SpanKind::Plain,
            Event::Text(text) => spans.push(Span { text: text.to_string(), kind }),
            Event::Code(text) => spans.push(Span { text: text.to_string(), kind: SpanKind::Code }),
            Event::SoftBreak | Event::HardBreak => spans.push(Span { text: " ".into(), kind }),
            // A tight entry's text ends with the entry, or where a block begins in it.
            Event::End(TagEnd::Item)
            | Event::Start(Tag::List(_) | Tag::Paragraph | Tag::CodeBlock(_) | Tag::BlockQuote(_)) => break,
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::CodeBlock | TagEnd::TableCell) => {
                events.next();
                break;
            }
            _ => {}
        }
        events.next();
    }
    joined(spans)
}

/// Neighbours of one kind as one.
fn joined(spans: Inline) -> Inline {
    let mut out = Inline::new();
    for span in spans {
        match out.last_mut() {
            Some(last) if last.kind == span.kind => last.text.push_str(&span.text),
            _ => out.push(span),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Lab 09: a test\n\nTime: one\nminute.\n\n## Round 1: it\n\n### Predict\n\n\
                        What?\n\n- **A. One send, one recv.** Yes, `recv`.\n- **B. No.** Text\n  goes on.\n\n\
                        ### Run\n\n```sh step=1 terminal=2\nnetlab `x` **y**\n```\n\n| a | `b` |\n|---|---|\n| 1 | |\n\n\
                        1. One\n2. Two\n\n   ```text\n   three\n   ```\n\n> **Box** text\n\n## Extend\n";

    #[test]
    fn a_page_has_sections_parts_and_items() {
        let page = parse(PAGE);
        assert_eq!(page.title, "Lab 09: a test");
        let titles: Vec<&str> = page.sections.iter().map(|section| section.title.as_str()).collect();
        assert_eq!(titles, ["", "Round 1: it", "Extend"]);
        let round = &page.sections[1];
        assert!(round.is_round() && !page.sections[2].is_round());
        let choices = round.parts[1].choices();
        assert_eq!(choices[0], Choice { letter: 'A', name: "One send, one recv".into() });
        assert_eq!(choices.len(), 2);
        let [Item::Code(block), Item::Table(titles, rows), Item::List(Some(1), list), Item::Quote(quote)] =
            round.parts[2].items.as_slice()
        else {
            panic!("{:?}", round.parts[2].items)
        };
        assert_eq!(block.lines, ["netlab `x` **y**"]);
        assert_eq!((block.kind.as_str(), block.attribute("terminal")), ("sh", Some("2")));
        assert_eq!((titles.len(), rows.len(), rows[0].len()), (2, 1, 2));
        assert_eq!((list.len(), list[1].len(), quote.len()), (2, 2, 1));
    }

    #[test]
    fn any_text_is_a_page() {
        for text in
            ["", "\0", "```", "- \n - *", "> - | a\n|--|\n", "<b>x</b>\n\n---\n", "# \n## \n### x\n#### y"]
        {
            let _ = parse(text);
        }
        for end in (0..PAGE.len()).filter(|end| PAGE.is_char_boundary(*end)) {
            let _ = parse(&PAGE[..end]);
        }
    }

    #[test]
    fn nothing_of_a_lab_is_lost() {
        for lab in super::super::LABS {
            let page = lab.page();
            let blocks: usize = page
                .sections
                .iter()
                .map(|section| section.blocks().filter(|block| !block.kind.is_empty()).count())
                .sum();
            assert_eq!(blocks * 2, lab.markdown.lines().filter(|line| line.starts_with("```")).count());
            for round in page.sections.iter().filter(|section| section.is_round()) {
                assert!(
                    round.parts.iter().any(|part| part.choices().len() >= 2),
                    "{}: {}",
                    lab.name,
                    round.title
                );
                for block in round.blocks() {
                    block.step().unwrap();
                }
            }
        }
    }
}
