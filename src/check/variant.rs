//! What a seed alters in an exercise, so that last year's answer does not pass this year.

use super::codec::Prefix;

/// The parts of an exercise that can differ from one course to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// The seed; `None` for the exercise as the course text has it.
    pub seed: Option<u64>,
    /// Drawn from the seed, for each choice that an exercise makes.
    draws: [u64; 8],
}

/// Words that replies are made of.
const WORDS: [&str; 12] = [
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "islet", "kelp", "larch", "maple",
];

impl Variant {
    /// The exercise as it stands in the course.
    #[must_use]
    pub fn plain() -> Variant {
        Variant { seed: None, draws: [0; 8] }
    }

    /// The variant of a seed; the same one each time.
    #[must_use]
    pub fn of(seed: u64) -> Variant {
        let mut random = Random::new(seed);
        Variant { seed: Some(seed), draws: std::array::from_fn(|_| random.draw()) }
    }

    /// A prefix that differs from `plain` in at least one of width, byte order and what it counts.
    #[must_use]
    pub fn prefix(&self, plain: usize) -> Prefix {
        if self.seed.is_none() {
            return Prefix::plain(plain);
        }
        // All combinations but the plain one; a width of 3 is what no library call reads.
        let all: Vec<Prefix> = [2, 3, 4, 8]
            .into_iter()
            .filter(|width| plain <= *width)
            .flat_map(|width| {
                [(false, false), (false, true), (true, false), (true, true)]
                    .map(|(little, inclusive)| Prefix { width, little, inclusive })
            })
            .filter(|prefix| *prefix != Prefix::plain(plain))
            .collect();
        all[pick(self.draws[0], all.len())]
    }

    /// A text that the server says: `plain` with a word of the seed's.
    #[must_use]
    pub fn text(&self, plain: &str) -> String {
        if self.seed.is_none() {
            return plain.to_owned();
        }
        let (word, number) = (WORDS[pick(self.draws[1], WORDS.len())], self.draws[2] % 1_000);
        format!("{plain} {word}-{number:03}").trim_start().to_owned()
    }

    /// What stands before each reply; nothing in the plain exercise.
    #[must_use]
    pub fn mark(&self) -> String {
        if self.seed.is_some() { format!("{}: ", self.text("")) } else { String::new() }
    }
}

fn pick(draw: u64, among: usize) -> usize {
    usize::try_from(draw % among as u64).expect("below a length")
}

/// Pseudo-random numbers that a seed repeats (SplitMix64): for choices and payloads, not for secrets.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// A sequence of its own for each seed.
    #[must_use]
    pub fn new(seed: u64) -> Random {
        Random { state: seed }
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A lower-case word of four letters, to tell one run's messages from another's.
    pub fn word(&mut self) -> String {
        let letter = |n: u64| char::from(b'a' + u8::try_from(n % 26).expect("below 26"));
        let draw = self.draw();
        (0..4).map(|n| letter(draw >> (8 * n))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_the_same_each_time_and_never_the_plain_exercise() {
        for seed in 0..200 {
            let variant = Variant::of(seed);
            assert_eq!(variant, Variant::of(seed));
            assert_ne!(variant.prefix(2), Prefix::plain(2));
            assert!(variant.prefix(4).width >= 4);
            assert_ne!(variant.text("Message received"), "Message received");
        }
        assert_eq!(Variant::plain().prefix(2), Prefix::plain(2));
        assert_eq!(Variant::plain().text("x"), "x");
        let kinds: std::collections::HashSet<String> =
            (0..200).map(|seed| format!("{:?}", Variant::of(seed).prefix(2))).collect();
        assert!(kinds.len() > 10, "{}", kinds.len());
    }
}
