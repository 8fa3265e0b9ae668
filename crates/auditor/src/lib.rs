//! Proves across services that the shop keeps its promises, and names every place where it does not.
//!
//! It is the one exception to "no service opens another's database", and for operators alone: it
//! only ever reads. Each database is read as it was at one moment (a snapshot), so that what one
//! service says of itself has to add up at any time. What two services say has to add up only when
//! the shop is [quiet](Bounds::quiet); else it is looked twice, and only what stays counts.
//!
//! What is read has shapes of its own, with just the fields that a rule needs: an auditor that read
//! with the services' own types would share their mistakes, and would see people's names.

mod bounds;
mod bus;
mod error;
mod findings;
mod merge;
mod report;
mod rows;
mod rules;
mod shapes;
mod sources;

use tracing::info;

pub use bounds::Bounds;
pub use error::Error;
pub use report::{Report, Rule, Violation};
pub use sources::{Bus, Source, Sources};

use findings::Findings;

/// Looks at everything, and says what does not hold.
pub async fn audit(sources: &Sources, bounds: Bounds) -> Result<Report, Error> {
    let first = look(sources, &bounds, Findings::default()).await?;
    if bounds.quiet || first.is_content() {
        return Ok(first);
    }
    info!(violations = first.violations().len(), "looking once more at what may be on its way");
    tokio::time::sleep(bounds.pause).await;
    look(sources, &bounds, Findings::also_in(&first)).await
}

async fn look(sources: &Sources, bounds: &Bounds, mut findings: Findings) -> Result<Report, Error> {
    let views = sources.open().await?;
    let bus = bus::Reader::connect(&sources.bus).await?;
    let shop = rules::Shop { views: &views, bus: &bus, bounds, now: sources::now() };
    rules::check(&shop, &mut findings).await?;
    Ok(findings.report())
}
