//! Processes that end with the one that started them.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use rustix::process::Signal;
use rustix::process::{Pid, Resource, Rlimit, kill_process, prlimit};

/// Minds a command: `process.sh OUT GRACE COMMAND...`.
///
/// OUT is where the command's stdout goes, 1 or 2; its pid is the first line on 1. Stdin is a pipe
/// from this process, which ends with us, even by `kill -9`: then the command and its children are
/// asked to end, and after GRACE tenths of a second it is killed.
const GUARD: &str = include_str!("process.sh");
const GRACE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(5);

/// What is to be started.
#[derive(Clone, Debug)]
pub struct Spec {
    program: PathBuf,
    args: Vec<OsString>,
    envs: Vec<(OsString, OsString)>,
    log: Option<PathBuf>,
    grace: Duration,
}

impl Spec {
    /// A program, without arguments, in the environment of this process.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), args: vec![], envs: vec![], log: None, grace: GRACE }
    }

    /// With one more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// With more arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// With one more variable in its environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.envs.push((name.into(), value.into()));
        self
    }

    /// A variable of its environment that was set by [`Spec::env`].
    pub(crate) fn env_of(&self, name: &str) -> Option<&str> {
        let (_, value) = self.envs.iter().rev().find(|(it, _)| it == name)?;
        value.to_str()
    }

    /// Writes what it says at the end of this file, rather than where this process writes.
    #[must_use]
    pub fn log(mut self, log: impl Into<PathBuf>) -> Self {
        self.log = Some(log.into());
        self
    }

    /// Gives it this long to end when it is asked to, 30 s unless told.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    fn command(&self, out: &str) -> io::Result<Command> {
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "souk", out]);
        command.arg((self.grace.as_millis() / 100).to_string()).arg(&self.program);
        command.args(&self.args).envs(self.envs.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        if let Some(log) = &self.log {
            command.stderr(File::options().create(true).append(true).open(log)?);
        }
        Ok(command)
    }
}

/// The command line, as a person would type it.
impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.program.display())?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", arg.to_string_lossy()))
    }
}

/// A running program; it is killed when this is dropped, and asked to end when this process dies.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    guard: Mutex<Child>,
    grace: Duration,
}

impl Process {
    /// Starts a program.
    pub fn start(spec: &Spec) -> io::Result<Self> {
        Self::spawn(spec, "2").map(|(process, _)| process)
    }

    /// Starts a program whose stdout the caller reads.
    pub fn stream(spec: &Spec) -> io::Result<(Self, ChildStdout)> {
        Self::spawn(spec, "1")
    }

    fn spawn(spec: &Spec, out: &str) -> io::Result<(Self, ChildStdout)> {
        let mut guard = spec.command(out)?.spawn()?;
        let mut stdout = guard.stdout.take().expect("stdout is piped");
        match first_line(&mut stdout)?.parse().ok().and_then(Pid::from_raw) {
            Some(pid) => Ok((Self { pid, guard: Mutex::new(guard), grace: spec.grace }, stdout)),
            None => Err(io::Error::other("the shell that was to start it did not")),
        }
    }

    /// The pid of the program itself.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Whether it has not ended yet.
    pub fn is_running(&self) -> bool {
        self.ended().is_none()
    }

    /// Sends it a signal, unless it has ended.
    pub fn signal(&self, signal: Signal) {
        if self.is_running() {
            // It may end just now: then nobody is left to be told.
            let _ = kill_process(self.pid, signal);
        }
    }

    /// Lets no file of it grow beyond so many bytes, as if the disk were full; for good.
    pub fn fill_disk(&self, bytes: u64) -> io::Result<()> {
        let limit = Rlimit { current: Some(bytes), maximum: None };
        prlimit(Some(self.pid), Resource::Fsize, limit)?;
        Ok(())
    }

    /// Asks it to end and waits until it has; kills it when it takes longer than its grace.
    ///
    /// Says how it ended, as [`Process::wait`] does.
    pub async fn stop(&self) -> i32 {
        self.signal(Signal::TERM);
        match tokio::time::timeout(self.grace, self.wait()).await {
            Ok(code) => code,
            Err(_) => self.kill().await,
        }
    }

    /// Kills it and waits until it is gone.
    pub async fn kill(&self) -> i32 {
        self.signal(Signal::KILL);
        self.wait().await
    }

    /// Waits until it ends by itself, and says with which code: 128 + n when by signal n.
    pub async fn wait(&self) -> i32 {
        loop {
            if let Some(code) = self.ended() {
                return code;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn ended(&self) -> Option<i32> {
        let status = self.guard().try_wait().expect("nobody else waits for the guard")?;
        status.code().or_else(|| status.signal().map(|signal| 128 + signal))
    }

    fn guard(&self) -> MutexGuard<'_, Child> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let bound = Instant::now() + Duration::from_secs(5);
        while self.is_running() && Instant::now() < bound {
            std::thread::sleep(PAUSE);
        }
    }
}

/// Reads no further than the line, since what follows is the program's.
fn first_line(from: &mut ChildStdout) -> io::Result<String> {
    let (mut line, mut byte) = (String::new(), [0]);
    while from.read(&mut byte)? > 0 && byte != *b"\n" {
        line.push(char::from(byte[0]));
    }
    Ok(line)
}
