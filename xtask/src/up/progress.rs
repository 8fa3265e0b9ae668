//! What is said while the shop opens, runs and closes.

use std::fmt::Display;
use std::io::Write as _;
use std::time::Instant;

/// Says a line; that nobody listens any more is no reason to fall over.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Says what is being done, and afterwards how long it took.
pub(crate) async fn phase<T, E>(
    doing: impl Display,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    say(format_args!("{doing} …"));
    let began = Instant::now();
    let done = work.await?;
    say(format_args!("{doing}: done in {:.1} s", began.elapsed().as_secs_f64()));
    Ok(done)
}
