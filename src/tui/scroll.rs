//! A window onto a list whose items take several lines each, and which grows while one reads.
//!
//! The window remembers what stands at its bottom, not how far from the end it is: so the text stays where it is
//! while more arrives below, while old items are dropped above, and when the screen changes its width. Pure.

use std::ops::Range;

/// A list whose items are numbered on and on, and measured in lines.
pub(super) trait Items {
    /// The numbers of the items that are there.
    fn range(&self) -> Range<u64>;
    /// The lines that an item takes, at least one.
    fn height(&self, item: u64) -> usize;
}

/// One line of a list: the item, and the line of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    item: u64,
    line: usize,
}

/// Which part of the list is seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scroll {
    /// The line at the bottom of the window; `None`: always the last one.
    bottom: Option<Place>,
}

impl Scroll {
    /// True if the newest line is always in sight.
    pub(super) fn is_following(self) -> bool {
        self.bottom.is_none()
    }

    /// Goes to the end and stays there.
    pub(super) fn follow(&mut self) {
        self.bottom = None;
    }

    /// Goes up by so many lines, with `page` lines in the window; not above the top.
    pub(super) fn up(&mut self, items: &dyn Items, by: usize, page: usize) {
        let Some(from) = self.place(items, page) else { return };
        let place = walk_up(items, from, by).0;
        self.bottom = Some(highest(items, place, page));
        self.settle(items);
    }

    /// Goes down by so many lines; at the end it follows again.
    pub(super) fn down(&mut self, items: &dyn Items, by: usize, page: usize) {
        let Some(from) = self.place(items, page) else { return };
        self.bottom = Some(walk_down(items, from, by).0);
        self.settle(items);
    }

    /// Goes to the top.
    pub(super) fn top(&mut self, items: &dyn Items, page: usize) {
        let range = items.range();
        if !range.is_empty() {
            self.bottom = Some(highest(items, Place { item: range.start, line: 0 }, page));
            self.settle(items);
        }
    }

    /// What is in a window of so many lines, from top to bottom: each item with those of its lines.
    pub(super) fn visible(self, items: &dyn Items, page: usize) -> Vec<(u64, Range<usize>)> {
        let Some(bottom) = self.place(items, page) else { return Vec::new() };
        let mut parts = Vec::new();
        let mut left = page;
        let (mut item, mut end) = (bottom.item, bottom.line + 1);
        while left > 0 {
            let shown = end.min(left);
            parts.push((item, end - shown..end));
            left -= shown;
            if item == items.range().start {
                break;
            }
            item -= 1;
            end = items.height(item);
        }
        parts.reverse();
        parts
    }

    /// The line at the bottom as the list is now.
    fn place(self, items: &dyn Items, page: usize) -> Option<Place> {
        let last = last(items)?;
        let Some(place) = self.bottom else { return Some(last) };
        // Items were dropped, or have fewer lines on a wider screen.
        let place = if place.item < items.range().start {
            Place { item: items.range().start, line: 0 }
        } else {
            Place { line: place.line.min(items.height(place.item.min(last.item)) - 1), ..place }
        };
        Some(highest(items, place.min(last), page))
    }

    fn settle(&mut self, items: &dyn Items) {
        if self.bottom == last(items) {
            self.bottom = None;
        }
    }
}

fn last(items: &dyn Items) -> Option<Place> {
    let range = items.range();
    let item = range.end.checked_sub(1).filter(|item| range.contains(item))?;
    Some(Place { item, line: items.height(item) - 1 })
}

/// The place itself, or the one below it from which on a whole window is full.
fn highest(items: &dyn Items, place: Place, page: usize) -> Place {
    let missing = walk_up(items, place, page.saturating_sub(1)).1;
    walk_down(items, place, missing).0
}

/// So many lines up; and how many of them there were not.
fn walk_up(items: &dyn Items, mut place: Place, mut by: usize) -> (Place, usize) {
    while by > place.line {
        if place.item == items.range().start {
            return (Place { line: 0, ..place }, by - place.line);
        }
        by -= place.line + 1;
        place.item -= 1;
        place.line = items.height(place.item) - 1;
    }
    (Place { line: place.line - by, ..place }, 0)
}

/// So many lines down; and how many of them there were not.
fn walk_down(items: &dyn Items, mut place: Place, mut by: usize) -> (Place, usize) {
    loop {
        let below = items.height(place.item) - 1 - place.line;
        if by <= below {
            return (Place { line: place.line + by, ..place }, 0);
        }
        if place.item + 1 >= items.range().end {
            return (Place { line: place.line + below, ..place }, by - below);
        }
        by -= below + 1;
        place = Place { item: place.item + 1, line: 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Items of 1, 2, 3, 1, 2, 3, ... lines.
    struct Sample(Range<u64>);

    impl Items for Sample {
        fn range(&self) -> Range<u64> {
            self.0.clone()
        }

        fn height(&self, item: u64) -> usize {
            usize::try_from(item % 3).unwrap() + 1
        }
    }

    fn lines(scroll: Scroll, items: &Sample, page: usize) -> Vec<(u64, usize)> {
        let visible = scroll.visible(items, page);
        visible.into_iter().flat_map(|(item, lines)| lines.map(move |line| (item, line))).collect()
    }

    #[test]
    fn it_follows_until_one_goes_up() {
        let mut scroll = Scroll::default();
        assert_eq!(lines(scroll, &Sample(0..0), 4), []);
        assert_eq!(lines(scroll, &Sample(0..3), 4), [(1, 1), (2, 0), (2, 1), (2, 2)]);
        scroll.up(&Sample(0..3), 1, 4);
        assert_eq!(lines(scroll, &Sample(0..3), 4), [(1, 0), (1, 1), (2, 0), (2, 1)]);
        assert_eq!(
            lines(scroll, &Sample(0..9), 4),
            [(1, 0), (1, 1), (2, 0), (2, 1)],
            "what comes moves nothing"
        );
        scroll.down(&Sample(0..3), 9, 4);
        assert!(scroll.is_following());
    }

    #[test]
    fn a_window_is_full_as_long_as_there_are_lines() {
        let mut scroll = Scroll::default();
        let items = Sample(0..6);
        scroll.up(&items, 100, 4);
        assert_eq!(lines(scroll, &items, 4), [(0, 0), (1, 0), (1, 1), (2, 0)]);
        assert_eq!(lines(scroll, &items, 6).len(), 6, "a larger window at the top");
        scroll.follow();
        scroll.top(&items, 4);
        assert_eq!(lines(scroll, &items, 4)[0], (0, 0));
        let mut short = Scroll::default();
        short.up(&Sample(0..2), 5, 10);
        assert!(short.is_following(), "what fits does not scroll");
    }

    #[test]
    fn dropped_items_move_the_window_to_the_oldest() {
        let mut scroll = Scroll::default();
        scroll.up(&Sample(0..9), 100, 4);
        assert_eq!(lines(scroll, &Sample(5..9), 4), [(5, 0), (5, 1), (5, 2), (6, 0)]);
    }
}
