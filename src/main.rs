//! The netlab binary: everything happens in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    netlab::cli::main()
}
