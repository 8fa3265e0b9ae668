//! Reading the configuration, or saying which variable is wrong.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Parser};

/// What a process exits with when its configuration cannot be used (`EX_USAGE`).
const MISCONFIGURED: u8 = 64;

/// Why a process ends before it began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// 0 when it was asked for help or for its version, 64 when the configuration is unusable.
    pub code: u8,
    /// What it has to say.
    pub message: String,
}

/// A value that a service finds unusable when it starts.
///
/// A process whose start fails with it exits with code 64.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {reason}")]
pub struct Misconfigured {
    /// The environment variable.
    pub variable: &'static str,
    /// What is wrong with it, and what would be right.
    pub reason: &'static str,
}

impl Exit {
    /// Says it: help on stdout, what is wrong on stderr.
    #[expect(clippy::print_stdout, clippy::print_stderr, reason = "there are no logs yet")]
    pub fn say(&self) {
        if self.code == 0 {
            print!("{}", self.message);
        } else {
            eprint!("{}", self.message);
        }
    }
}

impl From<&Misconfigured> for Exit {
    fn from(wrong: &Misconfigured) -> Self {
        Self { code: MISCONFIGURED, message: format!("error: {wrong}\n") }
    }
}

/// Reads a service's configuration from these flags (the first is the program's name) and from the
/// environment.
pub fn parse<C: Parser>(
    flags: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<C, Exit> {
    C::try_parse_from(flags).map_err(|error| {
        let mut command = C::command();
        // Only then do its arguments know their names.
        command.build();
        explain(error, &command)
    })
}

fn explain(mut error: clap::Error, command: &Command) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Exit { code: 0, message: error.render().to_string() };
    }
    let blamed: Vec<&Arg> = blamed(&error, command).collect();
    if blamed.iter().any(|arg| arg.is_hide_env_values_set()) {
        error.insert(ContextKind::InvalidValue, ContextValue::String("…".to_owned()));
    }
    let mut message = error.render().to_string();
    let variables: Vec<_> = blamed.iter().filter_map(|arg| arg.get_env()?.to_str()).collect();
    if !variables.is_empty() {
        message.extend(["\nIn the environment: ", &variables.join(", "), "\n"]);
    }
    Exit { code: MISCONFIGURED, message }
}

/// The arguments that an error is about.
fn blamed<'a>(error: &clap::Error, command: &'a Command) -> impl Iterator<Item = &'a Arg> {
    let named = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(name)) => vec![name.clone()],
        Some(ContextValue::Strings(names)) => names.clone(),
        _ => Vec::new(),
    };
    command.get_arguments().filter(move |arg| named.contains(&arg.to_string()))
}
