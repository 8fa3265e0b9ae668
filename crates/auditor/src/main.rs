//! Looks at everything, and says what does not hold: `auditor --help`.

mod args;

use std::process::ExitCode;

use args::Args;
use clap::Parser as _;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let filter = EnvFilter::builder().parse_lossy(&args.log);
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let report = match auditor::audit(&args.sources(), args.bounds()).await {
        Ok(report) => report,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    if args.json {
        println!("{}", serde_json::json!(report));
    } else {
        println!("{report}");
    }
    if report.is_content() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
