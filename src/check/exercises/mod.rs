//! The exercises, a file for each kind.

mod framed;

use super::exercise::Exercise;
use super::variant::Variant;

/// Makes an exercise of a variant, with messages of a seed.
type MakeExercise = fn(&Variant, u64) -> Exercise;

/// All of them, from the easiest up.
pub(super) const ALL: [(&str, MakeExercise); 2] =
    [("framed-echo-u16", framed::u16), ("framed-echo-u32", framed::u32)];
